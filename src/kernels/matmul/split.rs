//! Products of few rows and columns and a great depth: one of each part of the depth, and their sum
//! (`shaders/matmul_sum.wgsl`).

use narrows_shaders::matmul as shaders;

use super::{Epilogue, MatMul, MatMulPart, entry, operands};
use crate::gpu::Variants;
use crate::kernels::{Call, Kernel, Split, elements, floats, floats_mut, put_all};
use crate::reference::matmul::{product, sum_of_parts};
use crate::reference::reduce::column_sums;

/// Products of parts of the depth: C is `[parts, rows, line of C]`, and the sums of rows, where they come along,
/// `[parts, rows]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatMulChunks {
    /// The product of the whole depth; its epilogue is none, or sums that are written.
    pub of: MatMulPart,
    /// Steps of depth to a part, a multiple of 64 and fewer than the depth.
    pub chunk: u32,
}

/// `C[rows, columns] = epilogue(sum of partial[parts, rows, columns])`. The lines of `partial` are whole vec4s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatMulSum {
    /// Rows of C.
    pub rows: u32,
    /// Columns of C.
    pub columns: u32,
    /// How many are added up, in order.
    pub parts: u32,
    /// From the beginning of a line of C to that of the next.
    pub c_line: u32,
    /// What happens on the way out.
    pub epilogue: Epilogue,
    /// Add to C instead of writing it.
    pub accumulate: bool,
}

/// The two of them that make `whole`, by chunks of its depth.
pub(super) fn split(whole: &MatMulPart, chunk: u32) -> Split {
    let MatMulPart { of, lines } = *whole;
    let MatMul { rows, columns, epilogue, accumulate, .. } = of;
    let line = columns.next_multiple_of(4);
    let parts = of.depth.div_ceil(chunk);
    let (partial, mut between) = match epilogue {
        Epilogue::Sums { .. } => (Epilogue::Sums { accumulate: false }, vec![elements([parts, rows])]),
        _ => (Epilogue::None, vec![]),
    };
    between.insert(0, elements([parts, rows, line]));
    let of = MatMulPart {
        of: MatMul { epilogue: partial, accumulate: false, ..of },
        lines: [lines[0], lines[1], line],
    };
    let first = Box::new(MatMulChunks { of, chunk });
    let second = Box::new(MatMulSum { rows, columns, parts, c_line: lines[2], epilogue, accumulate });
    Split { first, second, taken: 2, between }
}

impl Kernel for MatMulChunks {
    fn call(&self, variants: &Variants) -> Call {
        let Self { of, chunk } = *self;
        let plain = matches!(of.of.epilogue, Epilogue::None | Epilogue::Sums { accumulate: false });
        let whole = chunk.is_multiple_of(64) && chunk < of.of.depth;
        of.in_chunks(variants, chunk)
            .setting("chunk of a product's depth", whole, "a multiple of 64, less than the depth", chunk)
            .setting(
                "epilogue of a product in parts",
                plain && !of.of.accumulate,
                "none or sums, written",
                format!("{:?}", of.of.epilogue),
            )
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let MatMulPart { of, lines } = self.of;
        let [a, b] = [floats(reads[0]), floats(reads[1])];
        let [a_line, b_line, c_line] = lines.map(|line| line as usize);
        let [rows, columns] = [of.rows, of.columns].map(|extent| extent as usize);
        for (part, first) in (0..of.depth).step_by(self.chunk as usize).enumerate() {
            let depth = self.chunk.min(of.depth - first) as usize;
            let first = first as usize;
            let a = &a[if of.layout.transpose_a() { first * a_line } else { first }..];
            let b = &b[if of.layout.transpose_b() { first } else { first * b_line }..];
            let values = product([rows, columns, depth], of.layout, [(a, a_line), (b, b_line)]);
            let c = &mut floats_mut(writes[0])[part * rows * c_line..];
            for (line, values) in c.chunks_mut(c_line).zip(values.chunks(columns)) {
                put_all(&mut line[..columns], values.iter().copied(), false);
            }
            if let Some(sums) = writes.get_mut(1) {
                let ones = vec![1.0; depth];
                let of_rows = product([rows, 1, depth], of.layout, [(a, a_line), (&ones, 1)]);
                put_all(&mut floats_mut(sums)[part * rows..][..rows], of_rows, false);
            }
        }
    }
}

impl Kernel for MatMulSum {
    fn call(&self, _: &Variants) -> Call {
        let Self { rows, columns, parts, c_line, epilogue, accumulate } = *self;
        let line = columns.checked_next_multiple_of(4).unwrap_or(u32::MAX);
        let sums = matches!(epilogue, Epilogue::Sums { .. });
        let c_words = elements([rows.saturating_sub(1), c_line]).saturating_add(match epilogue {
            Epilogue::Sample => elements([2, columns]),
            _ => columns as usize,
        });
        let call = Call::new(&shaders::SUM, entry(epilogue))
            .constant("ALIGNED_KEPT", columns.is_multiple_of(4) && c_line.is_multiple_of(4))
            .constant("ACCUMULATE", accumulate)
            .constant("ACCUMULATE_SUMS", epilogue == Epilogue::Sums { accumulate: true })
            .constant("ACTIVATION", epilogue.activation().code())
            .operands([elements([parts, rows, line])])
            .operands(sums.then(|| elements([parts, rows])))
            .operands(operands(epilogue, c_words, [rows, columns]))
            .uniform([("rows", rows), ("columns", columns), ("parts", parts), ("c_line", c_line)]);
        call.at_least_one("a sum of products", [("rows", rows), ("columns", columns), ("parts", parts)])
            .limit("parts of a sum of products", parts, 1..=narrows_shaders::MAX_ROUNDS / 2)
            .flops(1, elements([parts, rows, columns]))
            .shape(format!("{parts} of [{rows}, {columns}]"))
            .workgroups(|| shaders::sum_workgroups(rows, columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let [rows, columns] = [self.rows, self.columns].map(|extent| extent as usize);
        let values = sum_of_parts(floats(reads[0]), [rows, columns]);
        let extra = if let Epilogue::Sums { accumulate } = self.epilogue {
            let sums = column_sums(floats(reads[1]), rows);
            put_all(floats_mut(writes[1]), sums, accumulate);
            2
        } else {
            1
        };
        // As the product has them: what the epilogue takes stands behind A and B.
        let reads = [&[reads[0]; 2], &reads[extra..]].concat();
        self.epilogue.reference(values, [columns, self.c_line as usize], self.accumulate, &reads, writes);
    }
}
