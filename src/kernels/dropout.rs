//! Inverted dropout (`shaders/dropout.wgsl`).

use narrows_shaders::dropout as shaders;

use super::{Call, Kernel, State, elements, floats_mut, put, widened};
use crate::gpu::Variants;
use crate::reference::dropout::{mask, scale, threshold};

/// Zero where the state's seed and step drew so, with probability `rate`, and else `x / (1 - rate)` (Srivastava et al.
/// 2014, section 10). It is its own backward pass: dy takes the place of x, dx that of y, and the mask is drawn again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Images.
    pub rows: u32,
    /// Numbers per image.
    pub columns: u32,
    /// The share that is zeroed, in [0, 1).
    pub rate: f32,
    /// Its number among the dropout layers of a model, which draw apart.
    pub instance: u32,
    /// The counter's first word for numbers 0 to 3: above 0 where the images are a part of a batch.
    pub first_block: u32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

impl Kernel for Dropout {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, rate, instance, first_block, accumulate } = *self;
        let count = elements([rows, columns]);
        // Philox is about 30 operations per number.
        Call::new(&shaders::SHADER, "dropout")
            .operands([State::WORDS, count, count])
            .uniform([("count", rows.saturating_mul(columns)), ("instance", instance)])
            .uniform([("threshold", threshold(rate))])
            .uniform([("scale", scale(rate))])
            .uniform([("first_block", first_block)])
            .constant("ACCUMULATE", accumulate)
            .setting("rate of a dropout", (0.0..1.0).contains(&rate), "at least 0 and below 1", rate)
            .flops(30, count)
            .shape(format!("[{rows}, {columns}] rate {rate}"))
            .workgroups(|| shaders::workgroups(rows * columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let State { seed, step, .. } = State::from_words(reads[0]);
        let scale = f64::from(scale(self.rate));
        let mask = mask(seed, [self.first_block, step, self.instance], self.rate);
        for ((y, x), kept) in floats_mut(writes[0]).iter_mut().zip(widened(reads[1])).zip(mask) {
            put(y, if kept { scale * x } else { 0.0 }, self.accumulate);
        }
    }
}
