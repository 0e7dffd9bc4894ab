//! The squared Frobenius norm of an encoder's Jacobian (`shaders/contraction.wgsl`).

use narrows_shaders::{MAX_SHARED_ROW, contraction as shaders};

use super::{Call, Gradient, Kernel, elements, put_scaled, put_values, widened};
use crate::gpu::Variants;
use crate::reference::contraction as reference;

/// `value[b] = ||diag(s[b]) w||²`, unweighted, and, where there is a gradient, `ds = scale * d value / ds`; of w it
/// reads the squared norms of the rows, [`Quadratic`] of w and w.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitSlopes {
    /// Images.
    pub rows: u32,
    /// Slopes of an image.
    pub units: u32,
    /// That of s. None to write the values alone.
    pub gradient: Option<Gradient>,
}

/// The gradient of [`UnitSlopes`]'s values, summed over the images, by the weights:
/// `dw[j, k] = 2 scale (sum of s[b, j] t[b, j] over b) w[j, k]`, with t the same as s. Where the sum weighs each image,
/// t is s with each row multiplied by its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitWeights {
    /// Images.
    pub rows: u32,
    /// Slopes of an image.
    pub units: u32,
    /// Columns of w.
    pub columns: u32,
    /// The weight of the gradient.
    pub scale: f32,
    /// Add to `dw` instead of writing it.
    pub accumulate: bool,
}

/// `value[b] = sum of a[b, i] g[b, i] over i`, unweighted, and, where there is a gradient, `da = 2 scale g`: of a
/// quadratic form with `g = a w wᵀ`, or of the squared norm of each row with g the same as a.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quadratic {
    /// Images.
    pub rows: u32,
    /// Numbers per image.
    pub columns: u32,
    /// That of a. None to write the values alone.
    pub gradient: Option<Gradient>,
}

// What an entry does not read is zero.
fn call(entry: &'static str, [rows, units, columns]: [u32; 3], scale: f32) -> Call {
    Call::new(&shaders::SHADER, entry)
        .uniform([("rows", rows), ("units", units), ("columns", columns)])
        .uniform([("scale", scale)])
}

impl Kernel for UnitSlopes {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, units, gradient } = *self;
        let Gradient { scale, accumulate } = gradient.unwrap_or_default();
        let slopes = elements([rows, units]);
        let entry = if gradient.is_some() { "unit_slopes" } else { "unit_slopes_value" };
        call(entry, [rows, units, 0], scale)
            .operands([slopes, units as usize, rows as usize])
            .operands(gradient.map(|_| slopes))
            .constant("ACCUMULATE", accumulate)
            .limit("units of a contraction", units, 1..=MAX_SHARED_ROW)
            .flops(4, slopes)
            .shape(format!("[{rows}, {units}]"))
            .workgroups(|| shaders::workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (s, norms) = (widened(reads[0]), widened(reads[1]));
        let images = || s.chunks(self.units as usize);
        let values = images().map(|s| reference::unit_value(s, &norms));
        let slopes = images().flat_map(|s| reference::unit_slopes(s, &norms));
        put_values(writes, values, self.gradient, slopes);
    }
}

impl Kernel for UnitWeights {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, units, columns, scale, accumulate } = *self;
        let [slopes, weights] = [elements([rows, units]), elements([units, columns])];
        // A lane's rounds over the images and over the columns count together.
        call("unit_weights", [rows, units, columns], scale)
            .operands([weights, slopes, slopes, weights])
            .constant("ACCUMULATE", accumulate)
            .limit("images of a contraction", rows, 1..=MAX_SHARED_ROW / 2)
            .limit("columns of weights in a contraction", columns, 1..=MAX_SHARED_ROW / 2)
            .flops(2, slopes)
            .flops(1, weights)
            .shape(format!("[{units}, {columns}] by [{rows}]"))
            .workgroups(|| shaders::workgroups(units))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [w, s, t] = [reads[0], reads[1], reads[2]].map(widened);
        let slopes = reference::unit_weights(&s, &t, &w, self.columns as usize);
        put_scaled(writes[0], self.scale, slopes, self.accumulate);
    }
}

impl Kernel for Quadratic {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, gradient } = *self;
        let Gradient { scale, accumulate } = gradient.unwrap_or_default();
        let count = elements([rows, columns]);
        let entry = if gradient.is_some() { "quadratic" } else { "quadratic_value" };
        call(entry, [rows, 0, columns], scale)
            .operands([count, count, rows as usize])
            .operands(gradient.map(|_| count))
            .constant("ACCUMULATE", accumulate)
            .limit("columns of a contraction", columns, 1..=MAX_SHARED_ROW)
            .flops(3, count)
            .shape(format!("[{rows}, {columns}]"))
            .workgroups(|| shaders::workgroups(rows))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (a, g) = (widened(reads[0]), widened(reads[1]));
        let columns = self.columns as usize;
        let values = a.chunks(columns).zip(g.chunks(columns)).map(|(a, g)| reference::quadratic(a, g));
        put_values(writes, values, self.gradient, g.iter().map(|g| 2.0 * g));
    }
}
