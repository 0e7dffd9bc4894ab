//! Sums of several matrices at once, in a fixed order (`shaders/sums.wgsl`).

use narrows_shaders::{MAX_ROUNDS, sums as shaders};

use super::{Call, Kernel, elements, floats, floats_mut, put_all};
use crate::gpu::Variants;
use crate::reference::sums::column_sums_of_lines;

/// One of the matrices of [`Sums`], `[rows, columns]`: its sums are `[columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Matrix {
    /// Its first word among the parts, a multiple of four.
    pub first: u32,
    /// Its rows, at least one.
    pub rows: u32,
    /// Its columns, at least one.
    pub columns: u32,
    /// Words from the beginning of a row to that of the next, a multiple of four.
    pub line: u32,
    /// The first word of its sums.
    pub to: u32,
    /// Add to the sums instead of writing them.
    pub accumulate: bool,
}

/// `sums[to + column] = sum of parts[first + row line + column]` over the rows of each matrix: what dispatches before it
/// made in parts. No two matrices have a sum in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sums {
    /// Words of the parts, a multiple of four.
    pub parts: u32,
    /// Words of the sums.
    pub sums: u32,
    /// At least one and at most [`Sums::MOST`].
    pub matrices: Vec<Matrix>,
}

impl Sums {
    /// The most matrices of a dispatch.
    pub const MOST: usize = shaders::MOST_MATRICES;

    // Beyond so many rows several lanes share those of a column.
    const SHORT: u32 = 32;
}

impl Matrix {
    /// The most rows: a lane takes every eighth.
    pub const MAX_ROWS: u32 = 8 * MAX_ROUNDS;

    // How many lanes share the rows of a column.
    const fn lanes(&self) -> u32 {
        if self.rows <= Sums::SHORT { 1 } else { 8 }
    }

    const fn workgroups(&self) -> u32 {
        shaders::workgroups(self.columns, self.lanes())
    }

    fn numbers(&self) -> usize {
        elements([self.rows, self.columns])
    }

    // The fields of the shader's `Matrix`, whose first workgroup is given.
    fn fields(&self, workgroup: u32) -> [(&'static str, u32); 8] {
        [
            ("first", self.first / 4),
            ("line", self.line / 4),
            ("rows", self.rows),
            ("columns", self.columns),
            ("to", self.to),
            ("accumulate", self.accumulate.into()),
            ("lanes", self.lanes()),
            ("workgroup", workgroup),
        ]
    }

    // What it needs among so many parts and sums.
    fn limit(&self, call: Call, parts: u32, sums: u32) -> Call {
        let Self { first, rows, columns, line, to, .. } = *self;
        let words = |first: u32, of: usize| (first as u64).saturating_add(of as u64);
        call.limit("rows of a matrix to sum", rows, 1..=Self::MAX_ROWS)
            .limit("columns of a matrix to sum", columns, 1..=line)
            .limit("end of a matrix to sum", words(first, elements([rows, line])), 1..=parts.into())
            .limit("end of a matrix's sums", words(to, columns as usize), 1..=sums.into())
            .setting(
                "beginning and line of a matrix to sum",
                first.is_multiple_of(4) && line.is_multiple_of(4),
                "multiples of four words",
                format!("{first} and {line}"),
            )
    }
}

impl Kernel for Sums {
    fn call(&self, _: &Variants) -> Call {
        let Self { parts, sums, ref matrices } = *self;
        let none = [
            ("first", 0),
            ("line", 0),
            ("rows", 0),
            ("columns", 0),
            ("to", 0),
            ("accumulate", 0),
            ("lanes", 0),
            ("workgroup", 0),
        ];
        let mut workgroups = 0_u32;
        let described = matrices.iter().map(|matrix| {
            let first = workgroups;
            workgroups = workgroups.saturating_add(matrix.workgroups());
            matrix.fields(first)
        });
        let mut described: Vec<_> = described.take(Self::MOST).collect();
        described.resize(Self::MOST, none);
        let read = matrices.iter().map(Matrix::numbers).fold(0, usize::saturating_add);
        let written = matrices.iter().fold(0_usize, |all, of| all.saturating_add(of.columns as usize));
        let call = Call::new(&shaders::SHADER, "column_sums")
            .part_of(parts as usize, read)
            .part_of(sums as usize, written)
            .uniform([("count", matrices.len() as u32)])
            .uniform([("padding0", 0), ("padding1", 0), ("padding2", 0)])
            .uniform(described.into_iter().flatten())
            .limit("matrices to sum", matrices.len() as u32, 1..=Self::MOST as u32)
            .setting("words of matrices to sum", parts.is_multiple_of(4), "a multiple of four", parts)
            .flops(1, read)
            .shape(match matrices[..] {
                [Matrix { rows, columns, .. }] => format!("[{rows}, {columns}]"),
                _ => format!("{} matrices, {read} numbers", matrices.len()),
            });
        matrices.iter().fold(call, |call, of| of.limit(call, parts, sums)).workgroups(|| workgroups)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        for Matrix { first, rows, columns, line, to, accumulate } in &self.matrices {
            let [first, to, columns] = [first, to, columns].map(|at| *at as usize);
            let extents = [*rows as usize, columns, *line as usize];
            let sums = column_sums_of_lines(&floats(reads[0])[first..], extents);
            put_all(&mut floats_mut(writes[0])[to..to + columns], sums, *accumulate);
        }
    }
}
