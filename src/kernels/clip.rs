//! What keeps gradients from growing too large (`shaders/clip.wgsl`).
//!
//! By their norm, however many buffers they are in: [`SquaredNorm`] of each buffer, all into one buffer of sums,
//! [`NormFactor`] of that, and [`ScaleBy`] of each buffer. Or number by number: [`ClampEach`].

use narrows_shaders::{MAX_SHARED_ROW, clip as shaders};

use super::{Call, Kernel, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::clip::{clamped, factor, squares};

/// The squared norm of a flat buffer of gradients, in units of `max_norm²` and in parts: a sum for each
/// [`SquaredNorm::CHUNK`] numbers, in a fixed order.
///
/// Several buffers have one norm where each leaves its sums in a part of its own of `sums` `[sums]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquaredNorm {
    /// Gradients.
    pub count: u32,
    /// The limit on the norm of all buffers together.
    pub max_norm: f32,
    /// Where in `sums` its own begin, [`SquaredNorm::chunks`] of them.
    pub first: u32,
    /// Numbers in `sums`: those of all buffers.
    pub sums: u32,
}

/// What gradients are multiplied by so that their norm is at most `max_norm`: `min(1, max_norm / norm)`, given the
/// `sums` of [`SquaredNorm`] (Pascanu et al. 2013, algorithm 1).
///
/// It is 1 where all gradients are zero. Where any is infinite or NaN, or the norm beyond 10^19 times its limit, the
/// factor is not finite either, and neither is what it multiplies: training stops with an error instead of learning
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NormFactor {
    /// Numbers in `sums`. At most [`MAX_SHARED_ROW`].
    pub sums: u32,
}

/// `gradient = gradient * factor` in place, with the factor of [`NormFactor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScaleBy {
    /// Gradients.
    pub count: u32,
}

/// Each gradient, in place, made the nearest number within `[-limit, limit]`. NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClampEach {
    /// Gradients.
    pub count: u32,
    /// How large they may be.
    pub limit: f32,
}

impl SquaredNorm {
    /// Gradients to a sum: 64 to a lane, enough for few sums and few enough for many workgroups.
    pub const CHUNK: u32 = 64 * 64;

    /// How many sums a buffer of `count` gradients leaves.
    pub const fn chunks(count: u32) -> u32 {
        shaders::chunks(count, Self::CHUNK)
    }
}

// What every entry has, with `flops` operations per number.
fn call(entry: &'static str, count: u32, first: u32, bound: f32, flops: u64) -> Call {
    Call::new(&shaders::SHADER, entry)
        .uniform([("count", count), ("chunk", SquaredNorm::CHUNK), ("first", first)])
        .uniform([("bound", bound)])
        .flops(flops, count as usize)
        .shape(format!("[{count}]"))
}

impl Kernel for SquaredNorm {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, max_norm, first, sums } = *self;
        let own = Self::chunks(count);
        let end = u64::from(first) + u64::from(own);
        let usable = max_norm > 0.0 && max_norm.is_normal() && max_norm.recip().is_normal();
        call("squares", count, first, max_norm.recip(), 3)
            .operands([count as usize])
            .part_of(sums as usize, own as usize)
            .setting("max_norm", usable, "a positive number", max_norm)
            .limit("the end of a buffer's sums of squares", end, 1..=sums.into())
            .workgroups(|| own)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let gradient = widened(reads[0]);
        let chunks = gradient.chunks(Self::CHUNK as usize);
        let own = &mut floats_mut(writes[0])[self.first as usize..];
        put_all(own, chunks.map(|chunk| squares(chunk, self.max_norm.into())), false);
    }
}

impl Kernel for NormFactor {
    fn call(&self, _: &Variants) -> Call {
        call("factor", self.sums, 0, 0.0, 1)
            .operands([self.sums as usize, 1])
            .limit("sums of squares of all gradients", self.sums, 1..=MAX_SHARED_ROW)
            .workgroups(|| 1)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        put_all(floats_mut(writes[0]), [factor(widened(reads[0]).iter().sum())], false);
    }
}

impl Kernel for ScaleBy {
    fn call(&self, _: &Variants) -> Call {
        call("scale", self.count, 0, 0.0, 1)
            .operands([1, self.count as usize])
            .workgroups(|| shaders::workgroups(self.count))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let factor = widened(reads[0])[0];
        let scaled = widened(writes[0]).into_iter().map(|g| g * factor);
        put_all(floats_mut(writes[0]), scaled, false);
    }
}

impl Kernel for ClampEach {
    fn call(&self, _: &Variants) -> Call {
        let Self { count, limit } = *self;
        call("clamp_each", count, 0, limit, 2)
            .operands([count as usize])
            .setting("limit of a gradient", limit > 0.0 && limit.is_finite(), "a positive number", limit)
            .workgroups(|| shaders::workgroups(count))
    }

    fn reference(&self, _: &[&[u32]], writes: &mut [&mut [u32]]) {
        let held = widened(writes[0]).into_iter().map(|g| clamped(g, self.limit.into()));
        put_all(floats_mut(writes[0]), held, false);
    }
}
