//! Matrix products with fused epilogues, in every variant (`shaders/matmul_*.wgsl`).

use narrows_shaders::{MAX_ROUNDS, Shader, matmul as shaders};

use super::{Call, Kernel, elements, floats, vec4s};
use crate::gpu::{MatMulVariant, Variants};
use crate::reference::matmul::product;
pub use crate::reference::matmul::{Epilogue, Layout};

/// The entry point that every variant has for an epilogue.
pub(super) fn entry(epilogue: Epilogue) -> &'static str {
    match epilogue {
        Epilogue::None => "product",
        Epilogue::Dense(activation) if activation.keeps_input() => "dense_keep",
        Epilogue::Dense(_) => "dense",
        Epilogue::Slope(_) => "product_slope",
    }
}

/// The operands behind A and B where C has `words`, `columns` of them in a row.
pub(super) fn operands(epilogue: Epilogue, words: usize, columns: u32) -> Vec<usize> {
    match epilogue {
        Epilogue::None => vec![words],
        Epilogue::Dense(activation) if activation.keeps_input() => vec![columns as usize, words, words],
        Epilogue::Dense(_) => vec![columns as usize, words],
        Epilogue::Slope(_) => vec![vec4s(words), words],
    }
}

/// Counts the workgroups of a product of so many rows and columns.
pub(super) type Workgroups = fn(u32, u32) -> u32;

/// The shader of the variant in use, of those for `[tile, register, shuffle]`, and its workgroups.
pub(super) fn variant(
    variants: &Variants,
    [tile, register, shuffle]: [&'static Shader; 3],
) -> (&'static Shader, Workgroups) {
    match variants.matmul {
        MatMulVariant::Tile => (tile, shaders::tile_workgroups),
        MatMulVariant::Register => (register, shaders::register_workgroups),
        MatMulVariant::Shuffle => (shuffle, shaders::shuffle_workgroups),
    }
}

/// A call with the constants of every variant. `aligned` are A, B and what is kept, if they are whole vec4s along the axis
/// that is contiguous in memory.
pub(super) fn call(
    shader: &'static Shader,
    layout: Layout,
    aligned: [bool; 3],
    epilogue: Epilogue,
    accumulate: bool,
) -> Call {
    Call::new(shader, entry(epilogue))
        .constant("TRANSPOSE_A", layout.transpose_a())
        .constant("TRANSPOSE_B", layout.transpose_b())
        .constant("ALIGNED_A", aligned[0])
        .constant("ALIGNED_B", aligned[1])
        // Only the slope reads it; elsewhere it would make two pipelines of one.
        .constant("ALIGNED_KEPT", aligned[2] || !matches!(epilogue, Epilogue::Slope(_)))
        .constant("ACCUMULATE", accumulate)
        .constant("ACTIVATION", epilogue.activation().code())
}

/// `C[rows, columns] = epilogue(op(A)·op(B))`, f32, row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatMul {
    /// Rows of C.
    pub rows: u32,
    /// Columns of C.
    pub columns: u32,
    /// The extent summed over.
    pub depth: u32,
    /// Which operands are read transposed.
    pub layout: Layout,
    /// What happens on the way out.
    pub epilogue: Epilogue,
    /// Add to C instead of writing it.
    pub accumulate: bool,
}

impl MatMul {
    /// The largest depth: the shortest step of the variants is 4.
    pub const MAX_DEPTH: u32 = 4 * MAX_ROUNDS;
}

impl Kernel for MatMul {
    fn call(&self, variants: &Variants) -> Call {
        let Self { rows, columns, depth, layout, epilogue, accumulate } = *self;
        let (shader, workgroups) = variant(variants, [&shaders::TILE, &shaders::REGISTER, &shaders::SHUFFLE]);
        let [inner_a, inner_b] = [
            if layout.transpose_a() { rows } else { depth },
            if layout.transpose_b() { depth } else { columns },
        ];
        let aligned = [inner_a, inner_b, columns].map(|extent| extent.is_multiple_of(4));
        let [a, b] = [layout.transpose_a(), layout.transpose_b()].map(|on| if on { "T" } else { "" });
        call(shader, layout, aligned, epilogue, accumulate)
            .family("matmul")
            .operands([vec4s(elements([rows, depth])), vec4s(elements([depth, columns]))])
            .operands(operands(epilogue, elements([rows, columns]), columns))
            .uniform([("rows", rows), ("columns", columns), ("depth", depth)])
            .at_least_one("a matrix product", [("rows", rows), ("columns", columns)])
            .limit("depth of a matrix product", depth, 1..=Self::MAX_DEPTH)
            .flops(2, elements([rows, columns, depth]))
            .shape(format!("[{rows}, {depth}]{a} x [{depth}, {columns}]{b}"))
            .workgroups(|| workgroups(rows, columns))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let shape = [self.rows, self.columns, self.depth].map(|extent| extent as usize);
        let values = product(shape, self.layout, floats(reads[0]), floats(reads[1]));
        self.epilogue.reference(values, shape[1], self.accumulate, reads, writes);
    }
}
