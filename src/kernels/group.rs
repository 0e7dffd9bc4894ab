//! Groups of consecutive rows, each made one row (`shaders/group.wgsl`).

use narrows_shaders::{MAX_ROUNDS, group as shaders};

use super::{Call, Kernel, elements, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::group::{column_of, log_sum_exp, share};

/// `y[g, c] = log sum of e^x[g * size + j, c] over j`, or of the mean: x `[groups * size, columns]` becomes y
/// `[groups, columns]` (Burda et al. 2015, equation 8, of log weights).
///
/// `parts` `[2, groups, columns]` are what [`LogSumExpBackward`] needs: each group's largest number, and the logarithm
/// of the sum beside it. A group of nothing but -inf becomes -inf, one with +inf becomes +inf, and NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSumExp {
    /// Groups.
    pub groups: u32,
    /// Rows of x to a group. At most [`MAX_ROUNDS`].
    pub size: u32,
    /// Columns of both.
    pub columns: u32,
    /// Of the mean, not of the sum: less by `log size`.
    pub mean: bool,
}

/// The gradient of [`LogSumExp`], given x, `parts` and dy: `dx = dy softmax(x)`, within each group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogSumExpBackward {
    /// The forward pass.
    pub of: LogSumExp,
    /// Add to `dx` instead of writing it.
    pub accumulate: bool,
}

impl LogSumExp {
    fn offset(self) -> f64 {
        if self.mean { -f64::from(self.size).ln() } else { 0.0 }
    }

    // What every entry has; and the numbers of x and of y.
    fn describe(self, entry: &'static str) -> (Call, [usize; 2]) {
        let Self { groups, size, columns, .. } = self;
        let [x, y] = [elements([groups, size, columns]), elements([groups, columns])];
        let call = Call::new(&shaders::SHADER, entry)
            .uniform([("groups", groups), ("size", size), ("columns", columns)])
            .uniform([("offset", self.offset() as f32)])
            .flops(15, x)
            .shape(format!("[{groups} x {size}, {columns}]"));
        (call, [x, y])
    }
}

impl Kernel for LogSumExp {
    fn call(&self, _: &Variants) -> Call {
        let (call, [x, y]) = self.describe("log_sum_exp");
        call.operands([x, y, y.saturating_mul(2)])
            .limit("rows of a group", self.size, 1..=MAX_ROUNDS)
            .workgroups(|| shaders::workgroups(self.groups * self.columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (x, columns) = (widened(reads[0]), self.columns as usize);
        let count = self.groups as usize * columns;
        for i in 0..count {
            let column = column_of(&x, [self.size as usize, columns], [i / columns, i % columns]);
            let [top, rest] = log_sum_exp(column);
            floats_mut(writes[0])[i] = (top + rest + self.offset()) as f32;
            floats_mut(writes[1])[i] = top as f32;
            floats_mut(writes[1])[count + i] = rest as f32;
        }
    }
}

impl Kernel for LogSumExpBackward {
    fn call(&self, _: &Variants) -> Call {
        let LogSumExp { groups, size, columns, .. } = self.of;
        let (call, [x, y]) = self.of.describe("log_sum_exp_backward");
        call.operands([x, y.saturating_mul(2), y, x])
            .constant("ACCUMULATE", self.accumulate)
            .workgroups(|| shaders::workgroups(groups * size * columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [x, parts, dy] = [reads[0], reads[1], reads[2]].map(widened);
        let (size, columns) = (self.of.size as usize, self.of.columns as usize);
        let dx = x.iter().enumerate().map(|(i, x)| {
            let at = i / (size * columns) * columns + i % columns;
            dy[at] * share(*x, [parts[at], parts[dy.len() + at]])
        });
        put_all(floats_mut(writes[0]), dx, self.accumulate);
    }
}
