//! The squared Frobenius norm of an encoder's Jacobian (`shaders/contraction.wgsl`).

use narrows_shaders::contraction as shaders;

use super::{Kernel, Operand, Program, floats_mut, put_all, widened, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::contraction as reference;

// 64 lanes share a row, and some CPU drivers end every loop of an invocation once they have run 65,535 rounds
// between them, without a word.
const MAX_ROW: u32 = 64 * 65_000;

/// `norm[j] = sum of w[j, k]² over k`
///
/// Operands: `w` `[units, columns]`; then `unit_norm` `[units]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnitNorms {
    /// Rows of w.
    pub units: u32,
    /// Columns of w.
    pub columns: u32,
}

/// `value[b] = ||diag(s[b]) w||²`, unweighted, and its gradient `ds = scale * d value / ds`.
///
/// Operands: `s` `[rows, units]`, `norms` `[units]`; then `value` `[rows]`, `ds` `[rows, units]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitSlopes {
    /// Images.
    pub rows: u32,
    /// Slopes of an image.
    pub units: u32,
    /// The weight of the gradient.
    pub scale: f32,
    /// Add to `ds` instead of writing it. `value` is always written.
    pub accumulate: bool,
}

/// The gradient of [`UnitSlopes`]'s values, summed over the images, by the weights:
/// `dw[j, k] = 2 scale (sum of s[b, j]² over b) w[j, k]`.
///
/// Operands: `w` `[units, columns]`, `s` `[rows, units]`; then `dw` `[units, columns]`.
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

/// `value[b] = sum of a[b, i] g[b, i] over i`, unweighted, and `da = 2 scale g`: of a quadratic form with
/// `g = a w wᵀ`, or of the squared norm with g the same as a.
///
/// Operands: `a`, `g` `[rows, columns]`; then `value` `[rows]`, `da` `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quadratic {
    /// Images.
    pub rows: u32,
    /// Numbers an image.
    pub columns: u32,
    /// The weight of the gradient.
    pub scale: f32,
    /// Add to `da` instead of writing it. `value` is always written.
    pub accumulate: bool,
}

/// `dgram = 2 scale gram`, `gram = aᵀ a`: what, times w, is the gradient by w of a squared norm of `a w`.
///
/// Operands: `gram` `[units, units]`; then `dgram` `[units, units]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GramGradient {
    /// Rows of w.
    pub units: u32,
    /// The weight of the gradient.
    pub scale: f32,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    units: u32,
    columns: u32,
    scale: f32,
}

// What an entry does not read is zero.
fn params(rows: u32, units: u32, columns: u32, scale: f32) -> Vec<u8> {
    bytemuck::bytes_of(&Params { rows, units, columns, scale }).to_vec()
}

fn program(entry: &'static str, accumulate: bool, workgroups: u32) -> Program {
    let constants = vec![("ACCUMULATE", f64::from(u8::from(accumulate)))];
    Program { shader: &shaders::SHADER, entry, constants, workgroups }
}

fn size(rows: u32, columns: u32) -> usize {
    rows as usize * columns as usize
}

fn scaled(values: Vec<f64>, scale: f32) -> impl Iterator<Item = f64> {
    values.into_iter().map(move |value| f64::from(scale) * value)
}

impl Kernel for UnitNorms {
    fn title(&self) -> &'static str {
        "contraction unit_norms"
    }

    fn program(&self, _: &Variants) -> Program {
        program("unit_norms", false, shaders::row_workgroups(self.units))
    }

    fn params(&self) -> Vec<u8> {
        params(0, self.units, self.columns, 0.0)
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("w", size(self.units, self.columns)),
            Operand::write("unit_norm", self.units as usize),
        ]
    }

    fn check(&self) -> Result<()> {
        within("columns of weights in a contraction", self.columns, 1..=MAX_ROW)
    }

    fn flops(&self) -> u64 {
        2 * size(self.units, self.columns) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.units, self.columns)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let norms = reference::unit_norms(&widened(reads[0]), self.columns as usize);
        put_all(floats_mut(writes[0]), norms, false);
    }
}

impl Kernel for UnitSlopes {
    fn title(&self) -> &'static str {
        "contraction unit_slopes"
    }

    fn program(&self, _: &Variants) -> Program {
        program("unit_slopes", self.accumulate, shaders::row_workgroups(self.rows))
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.units, 0, self.scale)
    }

    fn operands(&self) -> Vec<Operand> {
        let slopes = size(self.rows, self.units);
        vec![
            Operand::read("s", slopes),
            Operand::read("norms", self.units as usize),
            Operand::write("value", self.rows as usize),
            Operand::write("ds", slopes),
        ]
    }

    fn check(&self) -> Result<()> {
        within("units of a contraction", self.units, 1..=MAX_ROW)
    }

    fn flops(&self) -> u64 {
        4 * size(self.rows, self.units) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.units)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (s, norms) = (widened(reads[0]), widened(reads[1]));
        let images = || s.chunks(self.units as usize);
        put_all(floats_mut(writes[0]), images().map(|s| reference::unit_value(s, &norms)), false);
        let ds = images().flat_map(|s| reference::unit_slopes(s, &norms)).collect();
        put_all(floats_mut(writes[1]), scaled(ds, self.scale), self.accumulate);
    }
}

impl Kernel for UnitWeights {
    fn title(&self) -> &'static str {
        "contraction unit_weights"
    }

    fn program(&self, _: &Variants) -> Program {
        program("unit_weights", self.accumulate, shaders::row_workgroups(self.units))
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.units, self.columns, self.scale)
    }

    fn operands(&self) -> Vec<Operand> {
        let weights = size(self.units, self.columns);
        vec![
            Operand::read("w", weights),
            Operand::read("s", size(self.rows, self.units)),
            Operand::write("dw", weights),
        ]
    }

    fn check(&self) -> Result<()> {
        // A lane's rounds over the images and over the columns count together.
        within("images of a contraction", self.rows, 1..=MAX_ROW / 2)?;
        within("columns of weights in a contraction", self.columns, 1..=MAX_ROW / 2)
    }

    fn flops(&self) -> u64 {
        2 * size(self.rows, self.units) as u64 + size(self.units, self.columns) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}] by [{}]", self.units, self.columns, self.rows)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (w, s) = (widened(reads[0]), widened(reads[1]));
        let dw = reference::unit_weights(&s, &w, self.columns as usize);
        put_all(floats_mut(writes[0]), scaled(dw, self.scale), self.accumulate);
    }
}

impl Kernel for Quadratic {
    fn title(&self) -> &'static str {
        "contraction quadratic"
    }

    fn program(&self, _: &Variants) -> Program {
        program("quadratic", self.accumulate, shaders::row_workgroups(self.rows))
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, 0, self.columns, self.scale)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = size(self.rows, self.columns);
        vec![
            Operand::read("a", count),
            Operand::read("g", count),
            Operand::write("value", self.rows as usize),
            Operand::write("da", count),
        ]
    }

    fn check(&self) -> Result<()> {
        within("numbers of an image's Jacobian", self.columns, 1..=MAX_ROW)
    }

    fn flops(&self) -> u64 {
        3 * size(self.rows, self.columns) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.columns)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (a, g) = (widened(reads[0]), widened(reads[1]));
        let columns = self.columns as usize;
        let images = a.chunks(columns).zip(g.chunks(columns));
        put_all(floats_mut(writes[0]), images.map(|(a, g)| reference::quadratic(a, g)), false);
        put_all(floats_mut(writes[1]), scaled(g, 2.0 * self.scale), self.accumulate);
    }
}

impl Kernel for GramGradient {
    fn title(&self) -> &'static str {
        "contraction gram_gradient"
    }

    fn program(&self, _: &Variants) -> Program {
        program("gram_gradient", false, shaders::workgroups(self.units * self.units))
    }

    fn params(&self) -> Vec<u8> {
        params(0, self.units, 0, self.scale)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = size(self.units, self.units);
        vec![Operand::read("gram", count), Operand::write("dgram", count)]
    }

    fn flops(&self) -> u64 {
        size(self.units, self.units) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.units, self.units)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        put_all(floats_mut(writes[0]), scaled(widened(reads[0]), 2.0 * self.scale), false);
    }
}
