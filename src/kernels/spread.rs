//! Weights, scaled row by row for each image (`shaders/spread.wgsl`).

use narrows_shaders::spread as shaders;

use super::{Kernel, Operand, Program, floats_mut, put_all, widened, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::spread as reference;

/// `y[b, j, k] = c[b, j] w[j, k]`
///
/// Operands: `c` `[rows, units]`, `w` `[units, columns]`; then `y` `[rows, units, columns]`.
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
///
/// Operands: `w`, `dy` `[rows, units, columns]`; then `dc` `[rows, units]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpreadScales {
    /// The forward pass. At most [`SpreadScales::MAX_COLUMNS`] columns.
    pub of: Spread,
    /// Add to `dc` instead of writing it.
    pub accumulate: bool,
}

/// The gradient of [`Spread`] by `w`: `dw[j, k] = sum of c[b, j] dy[b, j, k] over b`.
///
/// Operands: `c`, `dy` `[rows, units, columns]`; then `dw` `[units, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpreadWeight {
    /// The forward pass. At most [`SpreadWeight::MAX_ROWS`] images.
    pub of: Spread,
    /// Add to `dw` instead of writing it.
    pub accumulate: bool,
}

impl SpreadScales {
    /// The most columns: 64 lanes share a row, and some CPU drivers end every loop of an invocation after
    /// 65,535 rounds, without a word.
    pub const MAX_COLUMNS: u32 = 64 * 65_000;
}

impl SpreadWeight {
    /// The most images: some CPU drivers end every loop of an invocation after 65,535 rounds, without a word.
    pub const MAX_ROWS: u32 = 65_000;
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    units: u32,
    columns: u32,
}

impl Spread {
    fn scales(&self) -> usize {
        self.rows as usize * self.units as usize
    }

    fn weights(&self) -> usize {
        self.units as usize * self.columns as usize
    }

    fn all(&self) -> usize {
        self.scales() * self.columns as usize
    }
}

fn program(entry: &'static str, accumulate: bool, workgroups: u32) -> Program {
    let constants = vec![("ACCUMULATE", f64::from(u8::from(accumulate)))];
    Program { shader: &shaders::SHADER, entry, constants, workgroups }
}

impl Kernel for Spread {
    fn title(&self) -> &'static str {
        "spread"
    }

    fn program(&self, _: &Variants) -> Program {
        program("spread", false, shaders::workgroups(self.rows * self.units * self.columns))
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, units, columns } = *self;
        bytemuck::bytes_of(&Params { rows, units, columns }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("c", self.scales()),
            Operand::read("w", self.weights()),
            Operand::write("y", self.all()),
        ]
    }

    fn flops(&self) -> u64 {
        self.all() as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}, {}]", self.rows, self.units, self.columns)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let y = reference::spread(&widened(reads[0]), &widened(reads[1]), self.columns as usize);
        put_all(floats_mut(writes[0]), y, false);
    }
}

impl Kernel for SpreadScales {
    fn title(&self) -> &'static str {
        "spread scales"
    }

    fn program(&self, _: &Variants) -> Program {
        let workgroups = shaders::row_workgroups(self.of.rows * self.of.units);
        program("spread_scales", self.accumulate, workgroups)
    }

    fn params(&self) -> Vec<u8> {
        self.of.params()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("w", self.of.weights()),
            Operand::read("dy", self.of.all()),
            Operand::write("dc", self.of.scales()),
        ]
    }

    fn check(&self) -> Result<()> {
        within("columns of scaled weights", self.of.columns, 1..=Self::MAX_COLUMNS)
    }

    fn flops(&self) -> u64 {
        2 * self.of.flops()
    }

    fn shape(&self) -> String {
        self.of.shape()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (w, dy) = (widened(reads[0]), widened(reads[1]));
        let dc = reference::scales_gradient(&w, &dy, self.of.columns as usize);
        put_all(floats_mut(writes[0]), dc, self.accumulate);
    }
}

impl Kernel for SpreadWeight {
    fn title(&self) -> &'static str {
        "spread weight"
    }

    fn program(&self, _: &Variants) -> Program {
        let workgroups = shaders::workgroups(self.of.units * self.of.columns);
        program("spread_weight", self.accumulate, workgroups)
    }

    fn params(&self) -> Vec<u8> {
        self.of.params()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("c", self.of.scales()),
            Operand::read("dy", self.of.all()),
            Operand::write("dw", self.of.weights()),
        ]
    }

    fn check(&self) -> Result<()> {
        within("images that scale weights", self.of.rows, 1..=Self::MAX_ROWS)
    }

    fn flops(&self) -> u64 {
        2 * self.of.flops()
    }

    fn shape(&self) -> String {
        self.of.shape()
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (c, dy) = (widened(reads[0]), widened(reads[1]));
        let (units, columns) = (self.of.units as usize, self.of.columns as usize);
        put_all(floats_mut(writes[0]), reference::weight_gradient(&c, &dy, units, columns), self.accumulate);
    }
}
