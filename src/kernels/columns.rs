//! Blocks of columns, copied between arrays of different widths (`shaders/columns.wgsl`).

use narrows_shaders::columns as shaders;

use super::{Call, Kernel, elements, floats, floats_mut, put};
use crate::gpu::Variants;
pub use crate::reference::columns::Block;

/// `destination[r, its first + c] = source[r, its first + c]` for `columns` columns c: what stands beside the block in
/// `destination` `[rows, width]` stays.
///
/// Several of these put tensors side by side, or take one apart. The gradient is the copy back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CopyColumns {
    /// Rows of both.
    pub rows: u32,
    /// Columns of the block.
    pub columns: u32,
    /// Where it stands in `source`.
    pub source: Block,
    /// Where it stands in `destination`.
    pub destination: Block,
    /// Add to `destination` instead of writing it.
    pub accumulate: bool,
}

impl Kernel for CopyColumns {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, source, destination, accumulate } = *self;
        let block = elements([rows, columns]);
        let end = |of: Block| u64::from(of.first) + u64::from(columns);
        Call::new(&shaders::SHADER, "copy")
            .part_of(elements([rows, source.width]), block)
            .part_of(elements([rows, destination.width]), block)
            .uniform([("rows", rows), ("columns", columns)])
            .uniform([("source_width", source.width), ("source_at", source.first)])
            .uniform([("destination_width", destination.width), ("destination_at", destination.first)])
            .constant("ACCUMULATE", accumulate)
            .limit("end of the columns in the source", end(source), 1..=source.width.into())
            .limit("end of the columns in the destination", end(destination), 1..=destination.width.into())
            .shape(format!("[{rows}, {columns}] of {} into {}", source.width, destination.width))
            .workgroups(|| shaders::workgroups(rows * columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let Self { rows, columns, source, destination, accumulate } = *self;
        let (x, y) = (floats(reads[0]), floats_mut(writes[0]));
        for (from, to) in source.places(rows, columns).zip(destination.places(rows, columns)) {
            put(&mut y[to], x[from].into(), accumulate);
        }
    }
}
