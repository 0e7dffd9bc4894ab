//! Batch normalisation (`shaders/norm.wgsl`).
//!
//! `moments` `[2, channels]` are mean and inverse deviation of each channel, from [`moments`](super::moments).

use narrows_shaders::norm as shaders;

use super::moments::{Strips, reach};
use super::{Call, Kernel, elements, floats_mut, put, put_all, widened};
use crate::gpu::Variants;
use crate::reference::activation::Activation;
use crate::reference::norm::{Channel, chunk_sums};

/// `y = f(scale (x - mean) / deviation + shift)` (Ioffe and Szegedy 2015, algorithm 1).
/// An activation that [keeps its input](Activation::keeps_input) has it written too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Normalize {
    /// The pixels, and how they are shared out.
    pub strips: Strips,
    /// f
    pub activation: Activation,
}

/// `parts` `[chunks, 2, channels]`: of each chunk and channel, the sums of dz and of dz times the standardized x.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChunkSums(pub Strips);

/// `sums` `[2, channels]`: the same of all rows, which are the gradients of shift and of scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MergeSums {
    /// What the chunks are of.
    pub strips: Strips,
    /// The first word of the scale's gradient.
    pub scale_at: u32,
    /// The first word of the shift's gradient.
    pub shift_at: u32,
    /// Add to the scale's gradient instead of writing it.
    pub accumulate_scale: bool,
    /// Add to the shift's gradient instead of writing it.
    pub accumulate_shift: bool,
}

/// The gradient of x, by `totals`, which are the sums of [`MergeSums`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Backward {
    /// The pixels, and how they are shared out.
    pub strips: Strips,
    /// Whether the moments are this batch's own, and move with each x.
    pub own_moments: bool,
    /// Add to `dx` instead of writing it.
    pub accumulate: bool,
}

// What every entry has: the rest of the uniform.
fn call(entry: &'static str, strips: Strips, [scale_at, shift_at]: [u32; 2], correction: f32) -> Call {
    strips
        .call(&shaders::SHADER, entry)
        .uniform([("scale_at", scale_at), ("shift_at", shift_at)])
        .uniform([("correction", correction)])
}

impl Kernel for Normalize {
    fn call(&self, _: &Variants) -> Call {
        let Self { strips, activation } = *self;
        let (count, channels) = (strips.count(), strips.channels as usize);
        let keeps = activation.keeps_input();
        let call = call(if keeps { "normalize_keep" } else { "normalize" }, strips, [0, 0], 0.0);
        let shape = format!("{} {activation}", call.shape);
        call.operands([count, elements([2, strips.channels]), channels, channels, count])
            .operands(keeps.then_some(count))
            .constant("ACTIVATION", activation.code())
            .flops(4, count)
            .shape(shape)
            .workgroups(|| strips.workgroups())
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [moments, scale, shift] = [reads[1], reads[2], reads[3]].map(widened);
        let channels = Channel::each(&moments, &scale, &shift);
        for (e, x) in widened(reads[0]).into_iter().enumerate() {
            let z = channels[e % channels.len()].normalized(x);
            floats_mut(writes[0])[e] = self.activation.value(z) as f32;
            if let Some(preactivation) = writes.get_mut(1) {
                floats_mut(preactivation)[e] = z as f32;
            }
        }
    }
}

impl Kernel for ChunkSums {
    fn call(&self, _: &Variants) -> Call {
        let count = self.0.count();
        call("chunk_sums", self.0, [0, 0], 0.0)
            .operands([count, count, elements([2, self.0.channels]), self.0.parts()])
            .flops(4, count)
            .workgroups(|| self.0.workgroups())
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [x, dz, moments] = [reads[0], reads[1], reads[2]].map(widened);
        put_all(floats_mut(writes[0]), chunk_sums(&x, &dz, &moments, self.0.chunk as usize), false);
    }
}

impl Kernel for MergeSums {
    fn call(&self, _: &Variants) -> Call {
        let Self { strips, scale_at, shift_at, accumulate_scale, accumulate_shift } = *self;
        let (places, both) = ([scale_at, shift_at], elements([2, strips.channels]));
        // Of the gradients only this layer's.
        call("merge", strips, places, 0.0)
            .operands([strips.parts(), both])
            .part_of(reach(places, strips.channels), both)
            .constant("ACCUMULATE_SCALE", accumulate_scale)
            .constant("ACCUMULATE_SHIFT", accumulate_shift)
            .flops(1, strips.parts())
            .workgroups(|| shaders::merge_workgroups(strips.channels))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (parts, both) = (widened(reads[0]), 2 * self.strips.channels as usize);
        let sums: Vec<f64> = (0..both).map(|at| parts[at..].iter().step_by(both).sum()).collect();
        put_all(floats_mut(writes[0]), sums.iter().copied(), false);
        let (shift, scale) = sums.split_at(both / 2);
        let mut add = |first: u32, sums: &[f64], accumulate: bool| {
            put_all(floats_mut(&mut writes[1][first as usize..]), sums.iter().copied(), accumulate);
        };
        add(self.shift_at, shift, self.accumulate_shift);
        add(self.scale_at, scale, self.accumulate_scale);
    }
}

impl Kernel for Backward {
    fn call(&self, _: &Variants) -> Call {
        let Self { strips, own_moments, accumulate } = *self;
        let (count, both) = (strips.count(), elements([2, strips.channels]));
        let correction = if own_moments { 1.0 / strips.rows as f32 } else { 0.0 };
        call("backward", strips, [0, 0], correction)
            .operands([count, count, both, strips.channels as usize, both, count])
            .constant("ACCUMULATE", accumulate)
            .flops(6, count)
            .workgroups(|| strips.workgroups())
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [x, dz, moments, scale, totals] = std::array::from_fn(|at| widened(reads[at]));
        let channels = Channel::each(&moments, &scale, &[]);
        let correction = if self.own_moments { 1.0 / f64::from(self.strips.rows) } else { 0.0 };
        for (e, dx) in floats_mut(writes[0]).iter_mut().enumerate() {
            let at = e % channels.len();
            let sums = [totals[at], totals[channels.len() + at]];
            put(dx, channels[at].gradient(x[e], dz[e], sums, correction), self.accumulate);
        }
    }
}
