//! Rows that repeat, and sums along rows (`shaders/rows.wgsl`).

use narrows_shaders::{MAX_SHARED_ROW, rows as shaders};

use super::{Call, Kernel, elements, put_scaled, widened};
use crate::gpu::Variants;
use crate::reference::rows::{repeat, sums};

/// `y[r * times + j, c] = scale x[r, c]` for j below `times`: each row of x `[rows, columns]`, so many times one after
/// the other. Of one column it spreads each row's number over a row of y `[rows, times]`.
///
/// Its gradient is the sum of each `times` rows: [`ColumnSum`](super::reduce::ColumnSum) with that chunk, or, of one
/// column, [`RowSum`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Repeat {
    /// Rows of x.
    pub rows: u32,
    /// Columns of both.
    pub columns: u32,
    /// Rows of y to each of x.
    pub times: u32,
    /// What x is multiplied by.
    pub scale: f32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

/// `y[r] = scale * sum of x[r, c] over c` of x `[rows, columns]`: with `scale = 1 / columns` the mean of each row.
///
/// Its gradient is [`Repeat`] of `dy`, with one column, `columns` times and the same scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowSum {
    /// Rows of x.
    pub rows: u32,
    /// Columns of x. At most [`MAX_SHARED_ROW`].
    pub columns: u32,
    /// What the sums are multiplied by.
    pub scale: f32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

impl Kernel for Repeat {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, times, scale, accumulate } = *self;
        let repeated = elements([rows, times, columns]);
        Call::new(&shaders::SHADER, "repeat")
            .operands([elements([rows, columns]), repeated])
            .uniform([("rows", rows), ("columns", columns), ("times", times)])
            .uniform([("scale", scale)])
            .constant("ACCUMULATE", accumulate)
            .flops(1, repeated)
            .shape(format!("[{rows}, {columns}] x {times}"))
            .workgroups(|| shaders::workgroups(rows * times * columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let y = repeat(&widened(reads[0]), self.columns as usize, self.times as usize);
        put_scaled(writes[0], self.scale, y, self.accumulate);
    }
}

impl Kernel for RowSum {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, scale, accumulate } = *self;
        let summed = elements([rows, columns]);
        Call::new(&shaders::SHADER, "sum")
            .operands([summed, rows as usize])
            .uniform([("rows", rows), ("columns", columns), ("times", 1)])
            .uniform([("scale", scale)])
            .constant("ACCUMULATE", accumulate)
            .limit("columns of a row that is summed", columns, 1..=MAX_SHARED_ROW)
            .flops(1, summed)
            .shape(format!("[{rows}, {columns}]"))
            .workgroups(|| shaders::row_workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let y = sums(&widened(reads[0]), self.columns as usize);
        put_scaled(writes[0], self.scale, y, self.accumulate);
    }
}
