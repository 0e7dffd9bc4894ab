//! How long launches take: by the device's own timestamps where it has them, else by the host's clock.

use std::fmt;

use web_time::Instant;

use super::{Download, Gpu, Launch};
use crate::Result;

// Dispatches per submit: enough to hide what a submit costs, few enough for any driver's watchdog.
const PER_SUBMIT: usize = 64;
// WebGPU's most queries of a set, two to a pass.
const MOST_PASSES: usize = 2048;
// How much more than on the host's clock a device's times may be, which the two clocks' steps explain: a share and seconds.
const CLOCKS_DIFFER: (f64, f64) = (0.02, 1e-4);

/// What a time was taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "train", derive(serde::Serialize, serde::Deserialize))]
pub enum Clock {
    /// Timestamps that the device wrote where it began and where it ended.
    #[cfg_attr(feature = "train", serde(rename = "timestamps"))]
    Timestamps,
    /// The host's clock, from the submit to the device's answer.
    #[cfg_attr(feature = "train", serde(rename = "wall clock"))]
    Wall,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Timestamps => "timestamps",
            Self::Wall => "wall clock",
        })
    }
}

/// What some launches took, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lap {
    /// On the host's clock, from the submit to the device's answer.
    pub wall: f64,
    /// By the device's timestamps; None where it has none, or none that can be.
    pub device: Option<f64>,
}

impl Lap {
    /// A time of the host's clock alone.
    pub const fn by_wall(seconds: f64) -> Self {
        Self { wall: seconds, device: None }
    }

    /// The device's time where there is one, else the host's.
    pub fn seconds(&self) -> f64 {
        self.device.unwrap_or(self.wall)
    }
}

/// The time of `launches`, `rounds` times in a row, many to a submit.
///
/// The first use of a pipeline includes its compilation: run it once before.
///
/// # Errors
/// [`Error::DeviceLost`](crate::Error::DeviceLost), or [`Error::Device`](crate::Error::Device).
pub async fn time(gpu: &Gpu, launches: &[Launch], rounds: usize) -> Result<Lap> {
    let most = (rounds * launches.len()).div_ceil(MOST_PASSES);
    let together = PER_SUBMIT.max(launches.len()).max(most);
    let has = gpu.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
    lap(gpu, launches, rounds, together, has).await
}

/// The time of `launches`, `rounds` times in a row, each time in a submit of its own. It is the host that submits, so its
/// clock counts.
///
/// # Errors
/// As [`time`].
pub async fn time_submits(gpu: &Gpu, launches: &[Launch], rounds: usize) -> Result<Lap> {
    lap(gpu, launches, rounds, launches.len(), false).await
}

async fn lap(gpu: &Gpu, launches: &[Launch], rounds: usize, together: usize, stamped: bool) -> Result<Lap> {
    let all: Vec<&Launch> = (0..rounds).flat_map(|_| launches).collect();
    let passes = all.len().div_ceil(together.max(1)) as u32;
    let stamps = (stamped && passes > 0).then(|| Stamps::new(gpu, passes));
    let mark = gpu.storage("mark", 1);
    let words = stamps.as_ref().map_or(1, |_| 4 * passes as usize);
    let download = Download::new(gpu, words);
    let began = Instant::now();
    for (some, number) in all.chunks(together.max(1)).zip(0..) {
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let timestamp_writes = stamps.as_ref().map(|stamps| stamps.of_pass(number));
            let descriptor = wgpu::ComputePassDescriptor { timestamp_writes, ..Default::default() };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            some.iter().for_each(|launch| launch.record(&mut pass));
        }
        gpu.queue.submit([encoder.finish()]);
    }
    let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    match &stamps {
        Some(stamps) => stamps.record(&mut encoder, &download),
        None => download.record(&mut encoder, &mark, 0, 1),
    }
    let submission = gpu.queue.submit([encoder.finish()]);
    let words = download.words(gpu, submission, words).await?;
    let wall = began.elapsed().as_secs_f64();
    let device = stamps.and_then(|_| seconds(&words, f64::from(gpu.queue.get_timestamp_period()), wall));
    Ok(Lap { wall, device })
}

/// Room for the times at which passes begin and end.
struct Stamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    passes: u32,
}

impl Stamps {
    fn new(gpu: &Gpu, passes: u32) -> Self {
        let set = gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("stamps"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * passes,
        });
        let resolved = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("stamps"),
            size: 16 * u64::from(passes),
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Self { set, resolved, passes }
    }

    fn of_pass(&self, number: u32) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(2 * number),
            end_of_pass_write_index: Some(2 * number + 1),
        }
    }

    fn record(&self, encoder: &mut wgpu::CommandEncoder, download: &Download) {
        encoder.resolve_query_set(&self.set, 0..2 * self.passes, &self.resolved, 0);
        download.record(encoder, &self.resolved, 0, 4 * self.passes as usize);
    }
}

/// The seconds of all passes together, from the ticks of `period` nanoseconds at which each began and ended, 64 bits each.
/// None where they cannot be right: a pass that never began or ended before it did, no time at all, or more than `wall`.
pub fn seconds(words: &[u32], period: f64, wall: f64) -> Option<f64> {
    let ticks: Vec<u64> =
        words.as_chunks::<2>().0.iter().map(|[low, high]| u64::from(*low) | u64::from(*high) << 32).collect();
    let passes = ticks.as_chunks::<2>().0.iter();
    let each = passes.map(|[began, ended]| ended.checked_sub(*began).filter(|_| *began > 0));
    let sum = each.sum::<Option<u64>>()? as f64 * period * 1e-9;
    let (share, more) = CLOCKS_DIFFER;
    (sum > 0.0 && sum <= wall * (1.0 + share) + more).then_some(sum)
}

/// The rounds that take `least` seconds or more, but no more than `most`, by `seconds` of so many rounds. The first of
/// them compiles and is not counted.
///
/// # Errors
/// Those of `seconds`.
pub async fn fitting_rounds(
    least: f64,
    most: usize,
    mut seconds: impl AsyncFnMut(usize) -> Result<f64>,
) -> Result<usize> {
    let mut rounds = 1;
    seconds(rounds).await?;
    while rounds < most && seconds(rounds).await? < least {
        rounds *= 2;
    }
    Ok(rounds.min(most))
}

/// The seconds of a round, by `seconds` of so many rounds: the least of `tries`, as what disturbs one only slows it. Each
/// takes `least` seconds or more, unless `most` rounds are faster.
///
/// # Errors
/// Those of `seconds`.
pub async fn fastest_round(
    least: f64,
    most: usize,
    tries: usize,
    mut seconds: impl AsyncFnMut(usize) -> Result<f64>,
) -> Result<f64> {
    let rounds = fitting_rounds(least, most, &mut seconds).await?;
    let mut best = f64::INFINITY;
    for _ in 0..tries {
        best = best.min(seconds(rounds).await?);
    }
    Ok(best / rounds as f64)
}
