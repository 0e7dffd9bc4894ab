//! Weights, scaled row by row for each image (`shaders/spread.wgsl`).

use narrows_shaders::{MAX_ROUNDS, MAX_SHARED_ROW, spread as shaders};

use super::{Call, Kernel, elements, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::spread as reference;

/// `y[b, j, k] = c[b, j] w[j, k]` for `c` `[rows, units]`, `w` `[units, columns]` and `y` `[rows, units, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spread {
    /// Images.
    pub rows: u32,
    /// Rows of w.
    pub units: u32,
    /// Columns of w.
    pub columns: u32,
}

/// The gradient of [`Spread`] by `c`: `dc[b, j] = sum of dy[b, j, k] w[j, k] over k`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpreadScales {
    /// The forward pass. At most [`MAX_SHARED_ROW`] columns.
    pub of: Spread,
    /// Add to `dc` instead of writing it.
    pub accumulate: bool,
}

/// The gradient of [`Spread`] by `w`: `dw[j, k] = sum of c[b, j] dy[b, j, k] over b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpreadWeight {
    /// The forward pass. At most [`MAX_ROUNDS`] images.
    pub of: Spread,
    /// Add to `dw` instead of writing it.
    pub accumulate: bool,
}

impl Spread {
    // What every entry has, with `each` operations a number of y; and the sizes of c, w and y.
    fn describe(&self, entry: &'static str, each: u64) -> (Call, [usize; 3]) {
        let Self { rows, units, columns } = *self;
        let sizes = [elements([rows, units]), elements([units, columns]), elements([rows, units, columns])];
        let call = Call::new(&shaders::SHADER, entry)
            .uniform([("rows", rows), ("units", units), ("columns", columns)])
            .flops(each, sizes[2])
            .shape(format!("[{rows}, {units}, {columns}]"));
        (call, sizes)
    }
}

impl Kernel for Spread {
    fn call(&self, _: &Variants) -> Call {
        let (call, sizes) = self.describe("spread", 1);
        call.operands(sizes).workgroups(|| shaders::workgroups(self.rows * self.units * self.columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let y = reference::spread(&widened(reads[0]), &widened(reads[1]), self.columns as usize);
        put_all(floats_mut(writes[0]), y, false);
    }
}

impl Kernel for SpreadScales {
    fn call(&self, _: &Variants) -> Call {
        let Spread { rows, units, columns } = self.of;
        let (call, [c, w, y]) = self.of.describe("spread_scales", 2);
        call.operands([w, y, c])
            .constant("ACCUMULATE", self.accumulate)
            .limit("columns of scaled weights", columns, 1..=MAX_SHARED_ROW)
            .workgroups(|| shaders::row_workgroups(rows * units))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (w, dy) = (widened(reads[0]), widened(reads[1]));
        let dc = reference::scales_gradient(&w, &dy, self.of.columns as usize);
        put_all(floats_mut(writes[0]), dc, self.accumulate);
    }
}

impl Kernel for SpreadWeight {
    fn call(&self, _: &Variants) -> Call {
        let Spread { rows, units, columns } = self.of;
        let (call, [c, w, y]) = self.of.describe("spread_weight", 2);
        call.operands([c, y, w])
            .constant("ACCUMULATE", self.accumulate)
            .limit("images that scale weights", rows, 1..=MAX_ROUNDS)
            .workgroups(|| shaders::workgroups(units * columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (c, dy) = (widened(reads[0]), widened(reads[1]));
        let (units, columns) = (self.of.units as usize, self.of.columns as usize);
        put_all(floats_mut(writes[0]), reference::weight_gradient(&c, &dy, units, columns), self.accumulate);
    }
}
