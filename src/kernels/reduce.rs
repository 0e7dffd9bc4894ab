//! Sums in a fixed order (`shaders/reduce.wgsl`).

use narrows_shaders::{MAX_ROUNDS, reduce as shaders};

use super::{Call, Kernel, elements, floats, floats_mut, put_all};
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

impl ColumnSum {
    /// The largest chunk: a lane takes every eighth row.
    pub const MAX_CHUNK: u32 = 8 * MAX_ROUNDS;

    // Up to this chunk a lane is faster by itself.
    const SHORT_CHUNK: u32 = 32;

    /// All rows to one sum.
    pub const fn whole(rows: u32, columns: u32) -> Self {
        Self { rows, columns, chunk: rows, accumulate: false }
    }
}

impl Kernel for ColumnSum {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, chunk, accumulate } = *self;
        // Whether a lane takes four columns.
        let by_four = columns.is_multiple_of(4);
        type Workgroups = fn(u32, u32, u32) -> u32;
        let (entry, workgroups): (_, Workgroups) = match (chunk <= Self::SHORT_CHUNK, by_four) {
            (true, true) => ("column_sum_short_four", shaders::short_four_workgroups),
            (true, false) => ("column_sum_short", shaders::short_workgroups),
            (false, true) => ("column_sum_four", shaders::workgroups),
            (false, false) => ("column_sum", shaders::workgroups),
        };
        Call::new(&shaders::SHADER, entry)
            .operands([elements([rows, columns]), elements([rows.div_ceil(chunk.max(1)), columns])])
            .uniform([("rows", rows), ("columns", columns), ("chunk", chunk)])
            .constant("ACCUMULATE", accumulate)
            .limit("rows to a column sum", chunk, 1..=Self::MAX_CHUNK)
            .flops(1, elements([rows, columns]))
            .shape(format!("[{rows}, {columns}] by {chunk}"))
            .workgroups(|| workgroups(rows, columns, chunk))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let columns = self.columns as usize;
        let chunks = floats(reads[0]).chunks(self.chunk as usize * columns);
        let sums = chunks.flat_map(|lines| column_sums(lines, columns));
        put_all(floats_mut(writes[0]), sums, self.accumulate);
    }
}
