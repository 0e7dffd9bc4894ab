//! Elementwise products with rows that repeat (`shaders/hadamard.wgsl`).

use narrows_shaders::hadamard as shaders;

use super::{Kernel, Operand, Program, floats_mut, put_all, widened, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::hadamard as reference;

/// `y[r, k] = p[r, k] s[r / repeat, k]`
///
/// Operands: `p` `[rows * repeat, columns]`, `s` `[rows, columns]`; then `y` `[rows * repeat, columns]`.
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

/// The gradients of [`Multiply`]: `dp = dy s`, and `ds` the sum of `dy p` over the rows that share one of s.
///
/// Operands: `p`, `s`, `dy` `[rows * repeat, columns]`; then `dp`, `ds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MultiplyBackward {
    /// Rows of s.
    pub rows: u32,
    /// Columns of both.
    pub columns: u32,
    /// Rows of p to each of s. At most [`MultiplyBackward::MAX_REPEAT`].
    pub repeat: u32,
    /// Add to `dp` instead of writing it.
    pub accumulate: bool,
    /// Add to `ds` instead of writing it.
    pub accumulate_s: bool,
}

impl MultiplyBackward {
    /// The most rows of p to one of s. Some CPU drivers end every loop of an invocation once they have run
    /// 65,535 rounds between them, without a word.
    pub const MAX_REPEAT: u32 = 65_000;
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    columns: u32,
    repeat: u32,
}

fn params(rows: u32, columns: u32, repeat: u32) -> Vec<u8> {
    bytemuck::bytes_of(&Params { rows, columns, repeat }).to_vec()
}

fn size(rows: u32, columns: u32, repeat: u32) -> usize {
    rows as usize * columns as usize * repeat as usize
}

fn shape(rows: u32, columns: u32, repeat: u32) -> String {
    format!("[{rows} x {repeat}, {columns}] * [{rows}, {columns}]")
}

impl Kernel for Multiply {
    fn title(&self) -> &'static str {
        "hadamard"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "multiply",
            constants: vec![("ACCUMULATE", f64::from(u8::from(self.accumulate)))],
            workgroups: shaders::workgroups(self.rows * self.columns * self.repeat),
        }
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.columns, self.repeat)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = size(self.rows, self.columns, self.repeat);
        vec![
            Operand::read("p", count),
            Operand::read("s", size(self.rows, self.columns, 1)),
            Operand::write("y", count),
        ]
    }

    fn flops(&self) -> u64 {
        size(self.rows, self.columns, self.repeat) as u64
    }

    fn shape(&self) -> String {
        shape(self.rows, self.columns, self.repeat)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (p, s) = (widened(reads[0]), widened(reads[1]));
        let y = reference::multiply(&p, &s, self.columns as usize, self.repeat as usize);
        put_all(floats_mut(writes[0]), y, self.accumulate);
    }
}

impl Kernel for MultiplyBackward {
    fn title(&self) -> &'static str {
        "hadamard backward"
    }

    fn program(&self, _: &Variants) -> Program {
        Program {
            shader: &shaders::SHADER,
            entry: "gradient",
            constants: vec![
                ("ACCUMULATE", f64::from(u8::from(self.accumulate))),
                ("ACCUMULATE_S", f64::from(u8::from(self.accumulate_s))),
            ],
            workgroups: shaders::workgroups(self.rows * self.columns),
        }
    }

    fn params(&self) -> Vec<u8> {
        params(self.rows, self.columns, self.repeat)
    }

    fn operands(&self) -> Vec<Operand> {
        let count = size(self.rows, self.columns, self.repeat);
        let once = size(self.rows, self.columns, 1);
        vec![
            Operand::read("p", count),
            Operand::read("s", once),
            Operand::read("dy", count),
            Operand::write("dp", count),
            Operand::write("ds", once),
        ]
    }

    fn check(&self) -> Result<()> {
        within("rows that share a factor", self.repeat, 1..=Self::MAX_REPEAT)
    }

    fn flops(&self) -> u64 {
        3 * size(self.rows, self.columns, self.repeat) as u64
    }

    fn shape(&self) -> String {
        shape(self.rows, self.columns, self.repeat)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [p, s, dy] = [reads[0], reads[1], reads[2]].map(widened);
        let [dp, ds] = reference::gradients(&p, &s, &dy, self.columns as usize, self.repeat as usize);
        put_all(floats_mut(writes[0]), dp, self.accumulate);
        put_all(floats_mut(writes[1]), ds, self.accumulate_s);
    }
}
