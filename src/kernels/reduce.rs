//! Sums in a fixed order (`shaders/reduce.wgsl`).

use narrows_shaders::reduce as shaders;

use super::{Kernel, Operand, Program, floats, floats_mut, within};
use crate::Result;
use crate::gpu::Variants;
use crate::reference::reduce::column_sums;

/// `sums[rows / chunk, columns]`: down each column of `a[rows, columns]`, `chunk` rows to a sum.
///
/// The bias gradient is one pass with `chunk = rows`. Where `rows` is in the thousands and `columns` few,
/// as behind a convolution, a GPU is kept busy by a chunk of some hundred rows and a second pass over the
/// sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ColumnSum {
    /// Rows of the matrix.
    pub rows: u32,
    /// Its columns.
    pub columns: u32,
    /// Rows to a sum, at least one; the last sum may have fewer.
    pub chunk: u32,
    /// Add to `sums` instead of writing it.
    pub accumulate: bool,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    columns: u32,
    chunk: u32,
}

impl ColumnSum {
    /// The largest chunk. Some CPU drivers end every loop of an invocation once they have run 65,535
    /// rounds between them, without a word, and a lane takes every eighth row.
    pub const MAX_CHUNK: u32 = 8 * 65_000;

    // Up to this chunk a lane is faster by itself.
    const SHORT_CHUNK: u32 = 32;

    // Whether a lane takes four columns.
    const fn by_four(&self) -> bool {
        self.columns.is_multiple_of(4)
    }

    /// All rows to one sum.
    pub const fn whole(rows: u32, columns: u32) -> Self {
        Self { rows, columns, chunk: rows, accumulate: false }
    }
}

impl Kernel for ColumnSum {
    fn title(&self) -> &'static str {
        "reduce column_sum"
    }

    fn program(&self, _: &Variants) -> Program {
        let Self { rows, columns, chunk, .. } = *self;
        let (entry, workgroups) = match (chunk <= Self::SHORT_CHUNK, self.by_four()) {
            (true, true) => ("column_sum_short_four", shaders::short_four_workgroups(rows, columns, chunk)),
            (true, false) => ("column_sum_short", shaders::short_workgroups(rows, columns, chunk)),
            (false, true) => ("column_sum_four", shaders::workgroups(rows, columns, chunk)),
            (false, false) => ("column_sum", shaders::workgroups(rows, columns, chunk)),
        };
        let constants = vec![("ACCUMULATE", f64::from(u8::from(self.accumulate)))];
        Program { shader: &shaders::SHADER, entry, constants, workgroups }
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, columns, chunk, .. } = *self;
        bytemuck::bytes_of(&Params { rows, columns, chunk }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let size = |m: u32, n: u32| m as usize * n as usize;
        let [a, sums] = if self.by_four() { ["fours", "sums_of_fours"] } else { ["a", "sums"] };
        vec![
            Operand::read(a, size(self.rows, self.columns)),
            Operand::write(sums, size(self.rows.div_ceil(self.chunk), self.columns)),
        ]
    }

    fn check(&self) -> Result<()> {
        within("rows to a column sum", self.chunk, 1..=Self::MAX_CHUNK)
    }

    fn flops(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns)
    }

    fn shape(&self) -> String {
        format!("[{}, {}] by {}", self.rows, self.columns, self.chunk)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [rows, columns, chunk] = [self.rows, self.columns, self.chunk].map(|extent| extent as usize);
        let a = &floats(reads[0])[..rows * columns];
        let sums = a.chunks(chunk * columns).flat_map(|lines| column_sums(lines, columns));
        for (out, sum) in floats_mut(writes[0]).iter_mut().zip(sums) {
            let before = if self.accumulate { f64::from(*out) } else { 0.0 };
            *out = (before + sum) as f32;
        }
    }
}
