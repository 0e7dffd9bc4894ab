//! The statistics of batch normalisation (`shaders/moments.wgsl`).
//!
//! A batch of `rows` pixels of `channels` numbers is worked down its columns, a chunk of rows to a workgroup.

use narrows_shaders::moments as shaders;

use super::{Kernel, Operand, Program, floats, floats_mut, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::moments::{Moments, columns, inverse_deviation};

/// `[rows, channels]`, one row a pixel, shared out `chunk` rows to a workgroup of `shaders/lib/strip.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Strips {
    /// Pixels of all images.
    pub rows: u32,
    /// Numbers a pixel.
    pub channels: u32,
    /// Rows to a workgroup, at least one; the last may have fewer.
    pub chunk: u32,
}

impl Strips {
    // What a lane may take in turn: some CPU drivers end every loop of an invocation after 65,535 rounds, without a
    // word. Some are left for adding up what the lanes of a column found.
    const MAX_ROUNDS: u32 = 65_000;

    // A workgroup that takes few rows costs more to start, and to add up, than it computes; and the chunks' results
    // are merged by one workgroup a channel.
    const LEAST_ROUNDS_TO_SUM: u32 = 32;
    const LEAST_ROUNDS_TO_MAP: u32 = 16;
    const MANY_CHUNKS: u32 = 512;

    /// For sums down the columns: enough chunks to keep a device busy, few enough to merge.
    pub fn to_sum(rows: u32, channels: u32) -> Self {
        let least = shaders::strip_lines(channels.max(1)) * Self::LEAST_ROUNDS_TO_SUM;
        Self { rows, channels, chunk: rows.div_ceil(Self::MANY_CHUNKS).max(least) }
    }

    /// For what is done to each number by itself.
    pub fn to_map(rows: u32, channels: u32) -> Self {
        Self { rows, channels, chunk: shaders::strip_lines(channels.max(1)) * Self::LEAST_ROUNDS_TO_MAP }
    }

    /// How many chunks there are.
    pub const fn chunks(&self) -> u32 {
        self.rows.div_ceil(self.chunk)
    }

    pub(super) fn count(&self) -> usize {
        self.rows as usize * self.channels as usize
    }

    // Two numbers a channel and chunk.
    pub(super) fn parts(&self) -> usize {
        2 * self.chunks() as usize * self.channels as usize
    }

    pub(super) fn check(&self) -> Result<()> {
        within("channels of a normalisation", self.channels, 1..=u32::MAX / 2)?;
        within("pixels of a normalisation", self.rows, 1..=u32::MAX)?;
        let most = shaders::strip_lines(self.channels) * Self::MAX_ROUNDS;
        within("rows to a chunk of a normalisation", self.chunk, 1..=most)?;
        within("chunks of a normalisation", self.chunks(), 1..=64 * Self::MAX_ROUNDS)
    }

    pub(super) fn describe(&self) -> String {
        format!("[{}, {}] by {}", self.rows, self.channels, self.chunk)
    }
}

/// Of each chunk and channel, the mean and the sum of squared deviations from it.
///
/// Operands: `x` `[rows, channels]`; then `parts` `[chunks, 2, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkMoments(pub Strips);

/// Of each channel, mean and inverse deviation over all rows, and the running statistics brought up to date:
/// `running += momentum (this batch's - running)`, with the unbiased variance (Ioffe and Szegedy 2015, algorithm 2).
///
/// Operands: `chunks` `[chunks, 2, channels]`; then `moments` `[2, channels]` and `kept`, in which the running means
/// begin at `mean_at` and the variances at `variance_at`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MergeMoments {
    /// What the chunks are of. At least two rows: one has no variance.
    pub strips: Strips,
    /// The first running mean's word.
    pub mean_at: u32,
    /// The first running variance's word.
    pub variance_at: u32,
    /// What this batch weighs in the running statistics, in [0, 1].
    pub momentum: f32,
    /// Added to variances.
    pub epsilon: f32,
}

/// Mean and inverse deviation of each channel as the running statistics have them.
///
/// Operands: `statistics`, in which the running means begin at `mean_at` and the variances at `variance_at`; then
/// `moments` `[2, channels]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunningMoments {
    /// Numbers a pixel.
    pub channels: u32,
    /// The first running mean's word.
    pub mean_at: u32,
    /// The first running variance's word.
    pub variance_at: u32,
    /// Added to variances.
    pub epsilon: f32,
}

#[repr(C)]
#[derive(Clone, Copy, Default, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    channels: u32,
    chunk: u32,
    mean_at: u32,
    variance_at: u32,
    momentum: f32,
    epsilon: f32,
}

impl Params {
    fn of(strips: &Strips) -> Self {
        let Strips { rows, channels, chunk } = *strips;
        Self { rows, channels, chunk, ..Self::default() }
    }

    fn bytes(&self) -> Vec<u8> {
        bytemuck::bytes_of(self).to_vec()
    }
}

fn program(entry: &'static str, workgroups: u32) -> Program {
    Program { shader: &shaders::SHADER, entry, constants: vec![], workgroups }
}

// Words of a buffer that holds `channels` numbers from each of these places on.
pub(super) fn reach(places: [u32; 2], channels: u32) -> usize {
    places[0].max(places[1]) as usize + channels as usize
}

impl Kernel for ChunkMoments {
    fn title(&self) -> &'static str {
        "moments of chunks"
    }

    fn program(&self, _: &Variants) -> Program {
        let Strips { rows, channels, chunk } = self.0;
        program("chunk_moments", shaders::workgroups(rows, channels, chunk))
    }

    fn params(&self) -> Vec<u8> {
        Params::of(&self.0).bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![Operand::read("x", self.0.count()), Operand::write("parts", self.0.parts())]
    }

    fn check(&self) -> Result<()> {
        self.0.check()
    }

    fn flops(&self) -> u64 {
        6 * self.0.count() as u64
    }

    fn shape(&self) -> String {
        self.0.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let channels = self.0.channels as usize;
        let x = &floats(reads[0])[..self.0.count()];
        let parts = floats_mut(writes[0]).chunks_exact_mut(2 * channels);
        for (rows, part) in x.chunks(self.0.chunk as usize * channels).zip(parts) {
            for (channel, moments) in columns(rows, channels).into_iter().enumerate() {
                part[channel] = moments.mean as f32;
                part[channels + channel] = moments.squares as f32;
            }
        }
    }
}

impl Kernel for MergeMoments {
    fn title(&self) -> &'static str {
        "moments merged"
    }

    fn program(&self, _: &Variants) -> Program {
        program("merge", shaders::merge_workgroups(self.strips.channels))
    }

    fn params(&self) -> Vec<u8> {
        let Self { mean_at, variance_at, momentum, epsilon, .. } = *self;
        Params { mean_at, variance_at, momentum, epsilon, ..Params::of(&self.strips) }.bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("chunks", self.strips.parts()),
            Operand::write("moments", 2 * self.strips.channels as usize),
            Operand::write("kept", reach([self.mean_at, self.variance_at], self.strips.channels)),
        ]
    }

    fn check(&self) -> Result<()> {
        self.strips.check()?;
        within("pixels that a variance is taken over", self.strips.rows, 2..=u32::MAX)
    }

    fn flops(&self) -> u64 {
        8 * self.strips.parts() as u64
    }

    // Of the statistics only this layer's.
    fn bytes(&self) -> u64 {
        4 * (self.strips.parts() as u64 + 6 * u64::from(self.strips.channels))
    }

    fn shape(&self) -> String {
        self.strips.describe()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let Strips { rows, channels, chunk } = self.strips;
        let width = channels as usize;
        let parts = floats(reads[0])[..self.strips.parts()].chunks_exact(2 * width);
        for channel in 0..width {
            let whole = parts.clone().zip(0..).fold(Moments::default(), |whole, (part, number)| {
                let count = f64::from(chunk.min(rows - number * chunk));
                let [mean, squares] = [part[channel], part[width + channel]].map(f64::from);
                whole.merged(Moments { count, mean, squares })
            });
            let moments = floats_mut(writes[0]);
            moments[channel] = whole.mean as f32;
            moments[width + channel] = whole.inverse_deviation(f64::from(self.epsilon)) as f32;
            let places = [(self.mean_at, whole.mean), (self.variance_at, whole.unbiased_variance())];
            for (at, new) in places {
                let running = &mut floats_mut(writes[1])[at as usize + channel];
                let old = f64::from(*running);
                *running = (old + f64::from(self.momentum) * (new - old)) as f32;
            }
        }
    }
}

impl Kernel for RunningMoments {
    fn title(&self) -> &'static str {
        "moments running"
    }

    fn program(&self, _: &Variants) -> Program {
        program("running", shaders::running_workgroups(self.channels))
    }

    fn params(&self) -> Vec<u8> {
        let Self { channels, mean_at, variance_at, epsilon } = *self;
        Params { channels, mean_at, variance_at, epsilon, ..Params::default() }.bytes()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("statistics", reach([self.mean_at, self.variance_at], self.channels)),
            Operand::write("moments", 2 * self.channels as usize),
        ]
    }

    fn check(&self) -> Result<()> {
        within("channels of a normalisation", self.channels, 1..=u32::MAX / 2)
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.channels)
    }

    fn bytes(&self) -> u64 {
        16 * u64::from(self.channels)
    }

    fn shape(&self) -> String {
        format!("[{}]", self.channels)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let channels = self.channels as usize;
        let (statistics, moments) = (floats(reads[0]), floats_mut(writes[0]));
        for channel in 0..channels {
            moments[channel] = statistics[self.mean_at as usize + channel];
            let variance = f64::from(statistics[self.variance_at as usize + channel]);
            moments[channels + channel] = inverse_deviation(variance, f64::from(self.epsilon)) as f32;
        }
    }
}
