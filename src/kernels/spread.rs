//! Weights, scaled row by row for each image (`shaders/spread.wgsl`).

use narrows_shaders::{MAX_ROUNDS, MAX_SHARED_ROW, spread as shaders};

use super::{Call, Kernel, elements, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::spread as reference;

/// `y[b, j, k] = c[b, j] w[j, k]` for `c` `[rows, units]`, `w` `[units, columns]` and `y` `[rows, units, columns]`, or
/// one of its gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spread {
    /// Images.
    pub rows: u32,
    /// Rows of w.
    pub units: u32,
    /// Columns of w.
    pub columns: u32,
    /// What is computed.
    pub result: SpreadResult,
    /// Add to the result instead of writing it.
    pub accumulate: bool,
}

/// What [`Spread`] computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpreadResult {
    /// y, given c and w.
    Weights,
    /// `dc[b, j] = sum of dy[b, j, k] w[j, k] over k`, given w and dy. At most [`MAX_SHARED_ROW`] columns.
    ScalesGradient,
    /// `dw[j, k] = sum of c[b, j] dy[b, j, k] over b`, given c and dy. At most [`MAX_ROUNDS`] images.
    WeightGradient,
}

impl Kernel for Spread {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, units, columns, result, accumulate } = *self;
        let [c, w, y] =
            [elements([rows, units]), elements([units, columns]), elements([rows, units, columns])];
        let (entry, operands, flops) = match result {
            SpreadResult::Weights => ("spread", [c, w, y], 1),
            SpreadResult::ScalesGradient => ("spread_scales", [w, y, c], 2),
            SpreadResult::WeightGradient => ("spread_weight", [c, y, w], 2),
        };
        let call = Call::new(&shaders::SHADER, entry)
            .operands(operands)
            .uniform([("rows", rows), ("units", units), ("columns", columns)])
            .constant("ACCUMULATE", accumulate)
            .flops(flops, y)
            .shape(format!("[{rows}, {units}, {columns}]"));
        match result {
            SpreadResult::Weights => call.workgroups(|| shaders::workgroups(rows * units * columns)),
            SpreadResult::ScalesGradient => call
                .limit("columns of scaled weights", columns, 1..=MAX_SHARED_ROW)
                .workgroups(|| shaders::row_workgroups(rows * units)),
            SpreadResult::WeightGradient => call
                .limit("images that scale weights", rows, 1..=MAX_ROUNDS)
                .workgroups(|| shaders::workgroups(units * columns)),
        }
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [first, second] = [reads[0], reads[1]].map(widened);
        let (units, columns) = (self.units as usize, self.columns as usize);
        let result = match self.result {
            SpreadResult::Weights => reference::spread(&first, &second, columns),
            SpreadResult::ScalesGradient => reference::scales_gradient(&first, &second, columns),
            SpreadResult::WeightGradient => reference::weight_gradient(&first, &second, units, columns),
        };
        put_all(floats_mut(writes[0]), result, self.accumulate);
    }
}
