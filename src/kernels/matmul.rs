//! Matrix products with fused epilogues, in every variant (`shaders/matmul_*.wgsl`).

mod split;

use narrows_shaders::matmul::{self as shaders, tiles};
use narrows_shaders::{MAX_ROUNDS, Shader};

pub use self::split::{MatMulChunks, MatMulSum};
use super::{Call, Kernel, Split, elements, floats, floats_mut, put_all, vec4s};
use crate::gpu::{MatMulVariant, Product, ProductKind, Variants};
use crate::reference::matmul::product;
pub use crate::reference::matmul::{Epilogue, Layout};

/// The entry point that every variant has for an epilogue.
pub(super) fn entry(epilogue: Epilogue) -> &'static str {
    match epilogue {
        Epilogue::None => "product",
        Epilogue::Dense(_) if epilogue.keeps() => "dense_keep",
        Epilogue::Dense(_) => "dense",
        Epilogue::Slope(_) => "product_slope",
        Epilogue::Sums { .. } => "product_sums",
        Epilogue::Sample => "product_sample",
    }
}

/// The operands behind A and B where C has `words`, `columns` of them in each of its `rows`.
pub(super) fn operands(epilogue: Epilogue, words: usize, [rows, columns]: [u32; 2]) -> Vec<usize> {
    match epilogue {
        Epilogue::None => vec![words],
        Epilogue::Dense(_) if epilogue.keeps() => vec![columns as usize, words, words],
        Epilogue::Dense(_) => vec![columns as usize, words],
        Epilogue::Slope(_) => vec![vec4s(words), words],
        Epilogue::Sums { .. } => vec![words, rows as usize],
        Epilogue::Sample => vec![words, elements([rows, columns]), words],
    }
}

/// A shader with the tile of C that a workgroup of it makes, and the constants that say so.
pub(super) struct Tiled {
    pub(super) shader: &'static Shader,
    pub(super) tile: [u32; 2],
    constants: &'static [(&'static str, u32)],
    product: Option<(Product, MatMulVariant)>,
}

impl Tiled {
    /// The shader of the variant that makes `product`, of those for `[tile, register, shuffle]`.
    pub(super) fn choose(variants: &Variants, product: &Product, shaders: [&'static Shader; 3]) -> Self {
        let [tile, register, shuffle] = shaders;
        let variant = variants.matmul(product);
        let (shader, constants): (_, &[(&str, u32)]) = match variant {
            MatMulVariant::Tile128x8 => (tile, &[("TILE", 128), ("HALVES", 2)]),
            MatMulVariant::Tile64x8 => (tile, &[("TILE", 64), ("HALVES", 2)]),
            MatMulVariant::Tile64x4 => (tile, &[("TILE", 64), ("HALVES", 1)]),
            MatMulVariant::Tile32x4 => (tile, &[("TILE", 32), ("HALVES", 1)]),
            MatMulVariant::Register => (register, &[]),
            MatMulVariant::Shuffle32 => (shuffle, &[("HALVES", 1)]),
            MatMulVariant::Shuffle64 => (shuffle, &[("HALVES", 2)]),
        };
        Self { shader, tile: variant.tile(), constants, product: Some((*product, variant)) }
    }

    /// One that has but this tile.
    pub(super) const fn of(shader: &'static Shader, tile: [u32; 2]) -> Self {
        Self { shader, tile, constants: &[], product: None }
    }

    /// For a product of so many rows and columns.
    pub(super) const fn workgroups(&self, rows: u32, columns: u32) -> u32 {
        tiles(self.tile, rows, columns)
    }
}

/// A call with the constants of every variant. `aligned` are A, B and what is kept, if they are whole vec4s along the axis
/// that is contiguous in memory.
pub(super) fn call(
    tiled: &Tiled,
    layout: Layout,
    aligned: [bool; 3],
    epilogue: Epilogue,
    accumulate: bool,
) -> Call {
    let mut call = Call::new(tiled.shader, entry(epilogue));
    call.product = tiled.product;
    let sized = |call: Call, (name, value): &(&'static str, u32)| call.constant(name, *value);
    (tiled.constants.iter().fold(call, sized))
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

/// A product of parts of larger matrices, each a range of lines and of places in them: lines of A, B and C, as they are
/// in memory, begin so many numbers apart. What is kept beside C lies as C does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MatMulPart {
    /// The product of the parts.
    pub of: MatMul,
    /// From the beginning of a line to that of the next: at least a line's length.
    pub lines: [u32; 3],
}

impl MatMul {
    /// The largest depth: of the variants `tile` takes most rounds, ten for a stage of eight steps, as leaving a loop counts.
    pub const MAX_DEPTH: u32 = MAX_ROUNDS / 10 * 8;
    /// The largest depth where sums of rows come along: `shuffle` takes two rounds for each step beside the product's quarter.
    pub const MAX_DEPTH_WITH_SUMS: u32 = MAX_ROUNDS / 9 * 4;

    /// The largest depth with this epilogue.
    pub const fn max_depth(&self) -> u32 {
        match self.epilogue {
            Epilogue::Sums { .. } => Self::MAX_DEPTH_WITH_SUMS,
            Epilogue::None | Epilogue::Dense(_) | Epilogue::Slope(_) | Epilogue::Sample => Self::MAX_DEPTH,
        }
    }

    // Of matrices that are whole.
    fn whole(self) -> MatMulPart {
        MatMulPart { of: self, lines: self.matrices().map(|[_, line]| line) }
    }

    // Numbers of a line of C: of the gradient of a Gaussian code, those of mu and those of logvar.
    const fn width(&self) -> u32 {
        match self.epilogue {
            Epilogue::Sample => self.columns.saturating_mul(2),
            _ => self.columns,
        }
    }

    /// Lines of A, B and C as they are in memory, and the length of each.
    pub fn matrices(&self) -> [[u32; 2]; 3] {
        let Self { rows, columns, depth, layout, .. } = *self;
        let a = if layout.transpose_a() { [depth, rows] } else { [rows, depth] };
        let b = if layout.transpose_b() { [columns, depth] } else { [depth, columns] };
        [a, b, [rows, self.width()]]
    }
}

impl Kernel for MatMul {
    fn call(&self, variants: &Variants) -> Call {
        self.whole().call(variants)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        self.whole().reference(reads, writes);
    }

    fn split(&self, variants: &Variants) -> Option<Split> {
        self.whole().split(variants)
    }
}

impl MatMulPart {
    // The words that A, B and C span, and how many of them are theirs. Of C there are so many, one behind the other.
    fn spans(&self, parts: u32) -> [[usize; 2]; 3] {
        let extents = self.of.matrices();
        std::array::from_fn(|at| {
            let ([lines, length], line) = (extents[at], self.lines[at]);
            if at == 2 && parts > 1 {
                return [line, length].map(|length| elements([parts, lines, length]));
            }
            let before = elements([lines.saturating_sub(1), line]);
            [before.saturating_add(length as usize), elements([lines, length])]
        })
    }

    fn as_one(&self) -> Product {
        let MatMul { rows, columns, depth, layout, .. } = self.of;
        let kind = match layout {
            Layout::Nn => ProductKind::Nn,
            Layout::Nt => ProductKind::Nt,
            Layout::Tn => ProductKind::Tn,
        };
        Product { kind, rows, columns, depth, parts: 1 }
    }

    // A product of each `chunk` of the depth: one where the chunk is all of it.
    fn in_chunks(&self, variants: &Variants, chunk: u32) -> Call {
        let Self { of, lines } = *self;
        let MatMul { rows, columns, depth, layout, epilogue, accumulate } = of;
        let parts = depth.div_ceil(chunk.max(1));
        let product = Product { depth: chunk, parts, ..self.as_one() };
        let tiled =
            Tiled::choose(variants, &product, [&shaders::TILE, &shaders::REGISTER, &shaders::SHUFFLE]);
        let extents = of.matrices();
        let aligned = [0, 1, 2].map(|at| extents[at][1].is_multiple_of(4) && lines[at].is_multiple_of(4));
        let whole = extents.map(|[_, line]| line);
        let [a, b] = [layout.transpose_a(), layout.transpose_b()].map(|on| if on { "T" } else { "" });
        let [[a_span, a_used], [b_span, b_used], [c_span, c_used]] = self.spans(parts);
        let between = c_span - c_used.min(c_span);
        let call = call(&tiled, layout, aligned, epilogue, accumulate)
            .constant("ACCUMULATE_SUMS", epilogue == Epilogue::Sums { accumulate: true })
            .family("matmul")
            .part_of(vec4s(a_span), vec4s(a_used))
            .part_of(vec4s(b_span), vec4s(b_used));
        // The bias is whole; the others span what C does.
        let operands = operands(epilogue, c_span, [rows.saturating_mul(parts), columns]).into_iter();
        let used = |words: usize| if words < c_span { words } else { words - between };
        let sample = epilogue == Epilogue::Sample;
        let sums = matches!(epilogue, Epilogue::Sums { .. });
        operands
            .fold(call, |call, words| call.part_of(words, used(words)))
            .uniform([("rows", rows), ("columns", columns), ("depth", depth)])
            .uniform([("a_line", lines[0]), ("b_line", lines[1]), ("c_line", lines[2]), ("chunk", chunk)])
            .at_least_one("a matrix product", [("rows", rows), ("columns", columns)])
            .limit("depth of a matrix product", depth.min(chunk), 1..=of.max_depth())
            .setting(
                "row sums",
                !sums || a == "T",
                "of a product whose A is read transposed",
                format!("{layout:?}"),
            )
            // Its spread has no other lines than its columns.
            .setting(
                "lines of a product through a sample",
                !sample || lines == whole,
                "those of whole matrices",
                format!("{lines:?}"),
            )
            .limit("line of A", lines[0], extents[0][1]..=u32::MAX)
            .limit("line of B", lines[1], extents[1][1]..=u32::MAX)
            .limit("line of C", lines[2], extents[2][1]..=u32::MAX)
            .flops(2, elements([rows, columns, depth]))
            .shape(format!("[{rows}, {depth}]{a} x [{depth}, {columns}]{b}"))
            .workgroups(|| tiled.workgroups(rows, columns).saturating_mul(parts))
    }
}

impl Kernel for MatMulPart {
    fn call(&self, variants: &Variants) -> Call {
        self.in_chunks(variants, self.of.depth)
    }

    fn split(&self, variants: &Variants) -> Option<Split> {
        let chunk = variants.chunk(&self.as_one())?;
        Some(split::split(self, chunk))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let MatMul { rows, columns, depth, layout, epilogue, accumulate } = self.of;
        let [a, b, c] = self.lines.map(|line| line as usize);
        let shape = [rows, columns, depth].map(|extent| extent as usize);
        let values = product(shape, layout, [(floats(reads[0]), a), (floats(reads[1]), b)]);
        epilogue.reference(values, [shape[1], c], accumulate, reads, writes);
        if let Epilogue::Sums { accumulate } = epilogue {
            let ones = vec![1.0; shape[2]];
            let sums = product([shape[0], 1, shape[2]], layout, [(floats(reads[0]), a), (&ones, 1)]);
            put_all(floats_mut(writes[1]), sums, accumulate);
        }
    }
}
