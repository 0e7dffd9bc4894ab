//! The statistics of batch normalisation (`shaders/moments.wgsl`).
//!
//! A batch of `rows` pixels of `channels` numbers is worked down its columns, a chunk of rows to a workgroup.

use narrows_shaders::{MAX_ROUNDS, MAX_SHARED_ROW, Shader, moments as shaders};

use super::{Call, Kernel, elements, floats, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::moments::{Moments, inverse_deviation, merged, parts};

/// `[rows, channels]`, one row per pixel, shared out `chunk` rows to a workgroup of `shaders/lib/strip.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Strips {
    /// Pixels of all images.
    pub rows: u32,
    /// Numbers per pixel.
    pub channels: u32,
    /// Rows to a workgroup, at least one; the last may have fewer.
    pub chunk: u32,
}

impl Strips {
    // A workgroup that takes few rows costs more to start, and to add up, than it computes; and the chunks' results
    // are merged by one workgroup per channel.
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
        match self.chunk {
            0 => 0,
            chunk => self.rows.div_ceil(chunk),
        }
    }

    pub(super) fn count(&self) -> usize {
        elements([self.rows, self.channels])
    }

    // Two numbers per channel and chunk.
    pub(super) fn parts(&self) -> usize {
        elements([2, self.chunks(), self.channels])
    }

    // What the entries of either shader have.
    pub(super) fn call(&self, shader: &'static Shader, entry: &'static str) -> Call {
        let Self { rows, channels, chunk } = *self;
        // Some rounds are left for adding up what the lanes of a column found.
        let most = shaders::strip_lines(channels.max(1)) * MAX_ROUNDS;
        Call::new(shader, entry)
            .uniform([("rows", rows), ("channels", channels), ("chunk", chunk)])
            .limit("channels of a normalisation", channels, 1..=u32::MAX / 2)
            .at_least_one("a normalisation", [("pixels", rows)])
            .limit("rows to a chunk of a normalisation", chunk, 1..=most)
            .limit("chunks of a normalisation", self.chunks(), 1..=MAX_SHARED_ROW)
            .shape(format!("[{rows}, {channels}] by {chunk}"))
    }

    pub(super) const fn workgroups(&self) -> u32 {
        shaders::workgroups(self.rows, self.channels, self.chunk)
    }
}

/// `parts` `[chunks, 2, channels]`: of each chunk and channel, the mean and the sum of squared deviations from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkMoments(pub Strips);

/// `moments` `[2, channels]`: of each channel, mean and inverse deviation over all rows; and the running statistics
/// brought up to date: `running += momentum (this batch's - running)`, with the unbiased variance (Ioffe and Szegedy
/// 2015, algorithm 2).
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

/// `moments` `[2, channels]`: mean and inverse deviation of each channel as the running statistics have them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RunningMoments {
    /// Numbers per pixel.
    pub channels: u32,
    /// The first running mean's word.
    pub mean_at: u32,
    /// The first running variance's word.
    pub variance_at: u32,
    /// Added to variances.
    pub epsilon: f32,
}

// Words of a buffer that holds `channels` numbers from each of these places on.
pub(super) fn reach(places: [u32; 2], channels: u32) -> usize {
    (places[0].max(places[1]) as usize).saturating_add(channels as usize)
}

// The rest of the uniform.
fn rest(call: Call, [mean_at, variance_at]: [u32; 2], momentum: f32, epsilon: f32) -> Call {
    call.uniform([("mean_at", mean_at), ("variance_at", variance_at)])
        .uniform([("momentum", momentum), ("epsilon", epsilon)])
}

impl Kernel for ChunkMoments {
    fn call(&self, _: &Variants) -> Call {
        rest(self.0.call(&shaders::SHADER, "chunk_moments"), [0, 0], 0.0, 0.0)
            .operands([self.0.count(), self.0.parts()])
            .flops(6, self.0.count())
            .workgroups(|| self.0.workgroups())
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let Strips { channels, chunk, .. } = self.0;
        let parts = parts(floats(reads[0]), channels as usize, chunk as usize);
        put_all(floats_mut(writes[0]), parts, false);
    }
}

impl Kernel for MergeMoments {
    fn call(&self, _: &Variants) -> Call {
        let Self { strips, mean_at, variance_at, momentum, epsilon } = *self;
        let places = [mean_at, variance_at];
        // Of the statistics this layer's, which are read and written.
        rest(strips.call(&shaders::SHADER, "merge"), places, momentum, epsilon)
            .operands([strips.parts(), elements([2, strips.channels])])
            .part_of(reach(places, strips.channels), elements([4, strips.channels]))
            .limit("pixels that a variance is taken over", strips.rows, 2..=u32::MAX)
            .flops(8, strips.parts())
            .workgroups(|| shaders::merge_workgroups(strips.channels))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [rows, channels, chunk] =
            [self.strips.rows, self.strips.channels, self.strips.chunk].map(|extent| extent as usize);
        let whole = merged(&widened(reads[0]), rows, channels, chunk);
        let means = whole.iter().map(|moments| moments.mean);
        let deviations = whole.iter().map(|moments| moments.inverse_deviation(self.epsilon.into()));
        put_all(floats_mut(writes[0]), means.chain(deviations), false);
        let mut follow = |first: u32, new: fn(Moments) -> f64| {
            for (running, moments) in floats_mut(&mut writes[1][first as usize..]).iter_mut().zip(&whole) {
                let old = f64::from(*running);
                *running = (old + f64::from(self.momentum) * (new(*moments) - old)) as f32;
            }
        };
        follow(self.mean_at, |moments| moments.mean);
        follow(self.variance_at, Moments::unbiased_variance);
    }
}

impl Kernel for RunningMoments {
    fn call(&self, _: &Variants) -> Call {
        let Self { channels, mean_at, variance_at, epsilon } = *self;
        let both = elements([2, channels]);
        let call = Call::new(&shaders::SHADER, "running");
        let call = call.uniform([("rows", 0), ("channels", channels), ("chunk", 0)]);
        rest(call, [mean_at, variance_at], 0.0, epsilon)
            .part_of(reach([mean_at, variance_at], channels), both)
            .operands([both])
            .limit("channels of a normalisation", channels, 1..=u32::MAX / 2)
            .flops(2, channels as usize)
            .shape(format!("[{channels}]"))
            .workgroups(|| shaders::running_workgroups(channels))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let statistics = widened(reads[0]);
        let of = |first: u32| statistics[first as usize..][..self.channels as usize].iter().copied();
        let epsilon = f64::from(self.epsilon);
        let deviations = of(self.variance_at).map(|variance| inverse_deviation(variance, epsilon));
        put_all(floats_mut(writes[0]), of(self.mean_at).chain(deviations), false);
    }
}
