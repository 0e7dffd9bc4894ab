//! Runs benchmarks: some at a time, in turns, each sample beside one of the yardstick.

use std::sync::Arc;

use web_time::{SystemTime, UNIX_EPOCH};

use super::record::{DeviceFacts, Measurement, Record, VERSION, Yardstick};
use super::suite::{Benchmark, Extent, Group, Suite};
use super::work::{DataSets, Prepared, is_unsuited};
use crate::Result;
use crate::gpu::{Clock, Gpu, Lap};

// How many are in the device's memory at the same time and take turns.
const TOGETHER: usize = 12;

/// How far a measurement has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// What comes next.
    pub name: &'a str,
    /// What it is about.
    pub group: Group,
    /// Of [`of`](Self::of), in samples; making a benchmark ready counts as one.
    pub done: usize,
    /// All there is to do.
    pub of: usize,
}

/// Measures `suite` on a device with so many samples of each benchmark, in the order of its groups. `watch` is told before
/// each sample, and stops the work where it answers no: the record has what there is by then, and says that it is not
/// complete.
///
/// # Errors
/// [`Error::DeviceLost`](crate::Error::DeviceLost) and [`Error::Device`](crate::Error::Device) where the device fails. A
/// benchmark that the device or the data do not suit is left out with a remark.
pub async fn measure(
    gpu: &Arc<Gpu>,
    suite: &Suite,
    samples: usize,
    watch: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Record> {
    let yardstick = Benchmark::yardstick();
    let mut session = Session {
        gpu,
        yardstick: Prepared::new(gpu, &yardstick, &mut DataSets::default()).await?,
        data: DataSets::default(),
        samples,
        done: 0,
        of: suite.benchmarks.len() * (samples + 1),
        watch,
        results: Vec::new(),
        remarks: Vec::new(),
    };
    let mut complete = true;
    'all: for group in Group::ALL {
        let members: Vec<&Benchmark> =
            suite.benchmarks.iter().filter(|benchmark| benchmark.group == group).collect();
        for together in members.chunks(TOGETHER) {
            complete = session.run(together).await?;
            if !complete {
                break 'all;
            }
        }
    }
    let Session { results, remarks, .. } = session;
    let any_stamped = results.iter().any(|result| result.clock == Clock::Timestamps);
    Ok(Record {
        format: VERSION,
        narrows: env!("CARGO_PKG_VERSION").to_owned(),
        unix_seconds: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        complete,
        quick: suite.extent == Extent::Quick,
        device: DeviceFacts::of(gpu),
        clock: if any_stamped { Clock::Timestamps } else { Clock::Wall },
        yardstick: Yardstick { name: yardstick.name, flops: yardstick.flops },
        remarks,
        results,
    })
}

struct Session<'a> {
    gpu: &'a Arc<Gpu>,
    yardstick: Prepared,
    data: DataSets,
    samples: usize,
    done: usize,
    of: usize,
    watch: &'a mut dyn FnMut(Progress<'_>) -> bool,
    results: Vec<Measurement>,
    remarks: Vec<String>,
}

// What has been measured of a benchmark: its samples, and the yardstick's beside them.
struct Taken<'a> {
    benchmark: &'a Benchmark,
    prepared: Prepared,
    laps: Vec<Lap>,
    beside: Vec<Lap>,
}

impl Session<'_> {
    // False where the watch stopped it; what was measured by then counts.
    async fn run(&mut self, benchmarks: &[&Benchmark]) -> Result<bool> {
        let mut all = Vec::new();
        for benchmark in benchmarks {
            if !self.goes_on(benchmark) {
                return Ok(false);
            }
            match Prepared::new(self.gpu, benchmark, &mut self.data).await {
                Ok(prepared) => {
                    all.push(Taken { benchmark, prepared, laps: Vec::new(), beside: Vec::new() });
                }
                Err(error) if is_unsuited(&error) => {
                    self.done += self.samples;
                    self.remarks.push(format!("{} was left out: {error}", benchmark.name));
                }
                Err(error) => return Err(error),
            }
        }
        let complete = self.take_turns(&mut all).await?;
        self.results.extend(all.into_iter().filter_map(Taken::result));
        Ok(complete)
    }

    async fn take_turns(&mut self, all: &mut [Taken<'_>]) -> Result<bool> {
        for _ in 0..self.samples {
            let beside = self.yardstick.sample(self.gpu).await?;
            for taken in &mut *all {
                if !self.goes_on(taken.benchmark) {
                    return Ok(false);
                }
                taken.laps.push(taken.prepared.sample(self.gpu).await?);
                taken.beside.push(beside);
            }
        }
        Ok(true)
    }

    fn goes_on(&mut self, benchmark: &Benchmark) -> bool {
        let Benchmark { name, group, .. } = benchmark;
        let goes_on = (self.watch)(Progress { name, group: *group, done: self.done, of: self.of });
        self.done += 1;
        goes_on
    }
}

impl Taken<'_> {
    // None without a sample.
    fn result(self) -> Option<Measurement> {
        let Self { benchmark, prepared, laps, beside } = self;
        let (clock, seconds) = by_one_clock(&laps);
        (!seconds.is_empty()).then(|| Measurement {
            name: benchmark.name.clone(),
            group: benchmark.group,
            shape: benchmark.shape.clone(),
            clock,
            flops: prepared.flops,
            bytes: prepared.bytes,
            images: benchmark.images,
            rounds: prepared.rounds as u64,
            seconds,
            yardstick_seconds: by_one_clock(&beside).1,
        })
    }
}

// The device's times where all samples have one.
fn by_one_clock(laps: &[Lap]) -> (Clock, Vec<f64>) {
    match laps.iter().map(|lap| lap.device).collect::<Option<Vec<f64>>>() {
        Some(seconds) if !seconds.is_empty() => (Clock::Timestamps, seconds),
        _ => (Clock::Wall, laps.iter().map(|lap| lap.wall).collect()),
    }
}
