//! Elementwise products with rows that repeat, or of rows with a column (`shaders/hadamard.wgsl`).

use narrows_shaders::{MAX_ROUNDS, MAX_SHARED_ROW, hadamard as shaders};

use super::{Call, Kernel, elements, floats_mut, put_all, widened};
use crate::gpu::Variants;
use crate::reference::hadamard as reference;

/// `y[r, k] = p[r, k] s[r / repeat, k]` for `p`, `y` `[rows * repeat, columns]` and `s` `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Multiply {
    /// Rows of s.
    pub rows: u32,
    /// Columns of both.
    pub columns: u32,
    /// Rows of p to each of s.
    pub repeat: u32,
    /// Add to `y` instead of writing it.
    pub accumulate: bool,
}

/// The gradient of [`Multiply::rows`] by its column: `ds[r] = sum of dy[r, c] p[r, c] over c`, given p and dy
/// `[rows, columns]`. That by p is `Multiply::rows` again, of dy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowProducts {
    /// Rows of p.
    pub rows: u32,
    /// Columns of p. At most [`MAX_SHARED_ROW`].
    pub columns: u32,
    /// Add to `ds` instead of writing it.
    pub accumulate: bool,
}

impl Multiply {
    /// `y = p s` of `count` numbers each. Its gradients are the same: `dp = dy s`, `ds = dy p`.
    pub const fn numbers(count: u32, accumulate: bool) -> Self {
        Self { rows: 1, columns: count, repeat: 1, accumulate }
    }

    /// `y[r, c] = p[r, c] s[r]` of p `[rows, columns]` and a column s `[rows]`.
    pub const fn rows(rows: u32, columns: u32, accumulate: bool) -> Self {
        Self { rows, columns: 1, repeat: columns, accumulate }
    }

    // What both passes have, with `each` operations per number of p; and the sizes of p and of s.
    fn describe(&self, entry: &'static str, each: u64) -> (Call, [usize; 2]) {
        let Self { rows, columns, repeat, accumulate } = *self;
        let [of_p, of_s] = [elements([rows, columns, repeat]), elements([rows, columns])];
        let call = Call::new(&shaders::SHADER, entry)
            .operands([of_p, of_s])
            .uniform([("rows", rows), ("columns", columns), ("repeat", repeat)])
            .constant("ACCUMULATE", accumulate)
            .flops(each, of_p)
            .shape(format!("[{rows} x {repeat}, {columns}] * [{rows}, {columns}]"));
        (call, [of_p, of_s])
    }
}

/// The gradients of [`Multiply`]: `dp = dy s`, and `ds` the sum of `dy p` over the rows that share one of s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MultiplyBackward {
    /// The forward pass, with at most [`MAX_ROUNDS`] rows of p to each of s; its `accumulate` is that of `dp`.
    pub of: Multiply,
    /// Add to `ds` instead of writing it.
    pub accumulate_s: bool,
}

impl Kernel for Multiply {
    fn call(&self, _: &Variants) -> Call {
        let (call, [of_p, _]) = self.describe("multiply", 1);
        call.operands([of_p]).workgroups(|| shaders::workgroups(self.rows * self.columns * self.repeat))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (p, s) = (widened(reads[0]), widened(reads[1]));
        let y = reference::multiply(&p, &s, self.columns as usize, self.repeat as usize);
        put_all(floats_mut(writes[0]), y, self.accumulate);
    }
}

impl Kernel for MultiplyBackward {
    fn call(&self, _: &Variants) -> Call {
        let Self { of, accumulate_s } = *self;
        let (call, [of_p, of_s]) = of.describe("gradient", 3);
        call.operands([of_p, of_p, of_s])
            .constant("ACCUMULATE_S", accumulate_s)
            .limit("rows that share a factor", of.repeat, 1..=MAX_ROUNDS)
            .workgroups(|| shaders::workgroups(of.rows * of.columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [p, s, dy] = [reads[0], reads[1], reads[2]].map(widened);
        let Multiply { columns, repeat, accumulate, .. } = self.of;
        let [dp, ds] = reference::gradients(&p, &s, &dy, columns as usize, repeat as usize);
        put_all(floats_mut(writes[0]), dp, accumulate);
        put_all(floats_mut(writes[1]), ds, self.accumulate_s);
    }
}

impl Kernel for RowProducts {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, accumulate } = *self;
        let count = elements([rows, columns]);
        Call::new(&shaders::SHADER, "row_products")
            .operands([count, count, rows as usize])
            .uniform([("rows", rows), ("columns", 1), ("repeat", columns)])
            .constant("ACCUMULATE_S", accumulate)
            .limit("columns of rows that are multiplied", columns, 1..=MAX_SHARED_ROW)
            .flops(2, count)
            .shape(format!("[{rows}, {columns}]"))
            .workgroups(|| shaders::row_workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (p, dy) = (widened(reads[0]), widened(reads[1]));
        // The gradient by p, which s is needed for, is not.
        let [_, ds] = reference::gradients(&p, &vec![0.0; self.rows as usize], &dy, 1, self.columns as usize);
        put_all(floats_mut(writes[0]), ds, self.accumulate);
    }
}
