//! What keeps a code sparse (`shaders/sparsity.wgsl`).

use narrows_shaders::sparsity as shaders;

use super::{Kernel, Operand, Program, floats, floats_mut, within};
use crate::gpu::Variants;
use crate::reference::sparsity::{kl, kl_slope, l1_slope};
use crate::{Error, Result};

// The most columns of either kernel: 64 lanes share a row, and some CPU drivers end every loop of an invocation
// after 65,535 rounds, without a word.
const MAX_COLUMNS: u32 = 64 * 65_000;

/// `value[row] = sum over units of |z|`, unweighted, and `dz = scale * sign(z)`, zero at zero.
///
/// Operands: `z` `[rows, columns]`; then `value` `[rows]`, `dz` `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct L1 {
    /// Codes.
    pub rows: u32,
    /// Units of a code. At most [`L1::MAX_COLUMNS`].
    pub columns: u32,
    /// The weight of the gradient: the term's weight over the batch, say.
    pub scale: f32,
    /// Add to `dz` instead of writing it. `value` is always written.
    pub accumulate: bool,
}

/// `value[row] = sum over units of p log(p / q) + (1 - p) log((1 - p) / (1 - q))` in nats, unweighted and the same
/// of every row, where p is the target and `q = sums / rows` a unit's mean activation over the batch; and
/// `dz = scale * (q - p) / (q (1 - q))`, which is scale times the gradient of the sum of `value` over the rows
/// (Ng 2011, "Sparse autoencoder", section 3; Murphy, Probabilistic Machine Learning, 20.3.4).
///
/// q is kept within [1e-6, 1 - 1e-6], in the gradient too, so that a unit that is always off is still called back.
///
/// Operands: `sums` `[columns]`; then `value` `[rows]`, `dz` `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KlSparsity {
    /// Codes.
    pub rows: u32,
    /// Units of a code. At most [`KlSparsity::MAX_COLUMNS`].
    pub columns: u32,
    /// The mean activation to have, within (0, 1).
    pub target: f32,
    /// The weight of the gradient: the term's weight over the batch, say.
    pub scale: f32,
    /// Add to `dz` instead of writing it. `value` is always written.
    pub accumulate: bool,
}

impl L1 {
    /// The most units of a code.
    pub const MAX_COLUMNS: u32 = MAX_COLUMNS;
}

impl KlSparsity {
    /// The most units of a code.
    pub const MAX_COLUMNS: u32 = MAX_COLUMNS;
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    columns: u32,
    scale: f32,
    wanted: f32,
}

fn program(entry: &'static str, rows: u32, accumulate: bool) -> Program {
    let constants = vec![("ACCUMULATE", f64::from(u8::from(accumulate)))];
    Program { shader: &shaders::SHADER, entry, constants, workgroups: shaders::workgroups(rows) }
}

fn size(rows: u32, columns: u32) -> usize {
    rows as usize * columns as usize
}

fn add(target: &mut f32, gradient: f64, accumulate: bool) {
    let before = if accumulate { f64::from(*target) } else { 0.0 };
    *target = (before + gradient) as f32;
}

impl Kernel for L1 {
    fn title(&self) -> &'static str {
        "sparsity l1"
    }

    fn program(&self, _: &Variants) -> Program {
        program("l1", self.rows, self.accumulate)
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, columns, scale, .. } = *self;
        bytemuck::bytes_of(&Params { rows, columns, scale, wanted: 0.0 }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let units = size(self.rows, self.columns);
        vec![
            Operand::read("z", units),
            Operand::write("value", self.rows as usize),
            Operand::write("dz", units),
        ]
    }

    fn check(&self) -> Result<()> {
        within("units of a code", self.columns, 1..=MAX_COLUMNS)
    }

    fn flops(&self) -> u64 {
        2 * size(self.rows, self.columns) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.columns)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let columns = self.columns as usize;
        let scale = f64::from(self.scale);
        for (row, z) in floats(reads[0]).chunks(columns).enumerate().take(self.rows as usize) {
            floats_mut(writes[0])[row] = z.iter().map(|z| f64::from(z.abs())).sum::<f64>() as f32;
            for (dz, z) in floats_mut(&mut writes[1][row * columns..]).iter_mut().zip(z) {
                add(dz, scale * l1_slope(f64::from(*z)), self.accumulate);
            }
        }
    }
}

impl Kernel for KlSparsity {
    fn title(&self) -> &'static str {
        "sparsity kl"
    }

    fn program(&self, _: &Variants) -> Program {
        program("kl", self.rows, self.accumulate)
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, columns, scale, target, .. } = *self;
        bytemuck::bytes_of(&Params { rows, columns, scale, wanted: target }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![
            Operand::read("sums", self.columns as usize),
            Operand::write("value", self.rows as usize),
            Operand::write("dz", size(self.rows, self.columns)),
        ]
    }

    fn check(&self) -> Result<()> {
        within("units of a code", self.columns, 1..=MAX_COLUMNS)?;
        if self.target > 0.0 && self.target < 1.0 {
            return Ok(());
        }
        Err(Error::setting("sparsity_target", "above 0 and below 1", self.target))
    }

    fn flops(&self) -> u64 {
        40 * size(self.rows, self.columns) as u64
    }

    fn shape(&self) -> String {
        format!("[{}, {}]", self.rows, self.columns)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let columns = self.columns as usize;
        let (p, scale) = (f64::from(self.target), f64::from(self.scale));
        let active = |sum: &f32| f64::from(*sum) / f64::from(self.rows);
        let active: Vec<f64> = floats(reads[0])[..columns].iter().map(active).collect();
        let value = active.iter().map(|q| kl(p, *q)).sum::<f64>() as f32;
        floats_mut(writes[0])[..self.rows as usize].fill(value);
        for row in floats_mut(writes[1])[..size(self.rows, self.columns)].chunks_mut(columns) {
            for (dz, q) in row.iter_mut().zip(&active) {
                add(dz, scale * kl_slope(p, *q), self.accumulate);
            }
        }
    }
}
