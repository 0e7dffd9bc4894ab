//! Matrix products with fused epilogues, in every variant (`shaders/matmul_*.wgsl`).

use narrows_shaders::{Shader, matmul as shaders};

use super::{Kernel, Operand, Program, floats, floats_mut, within};
use crate::gpu::{MatMulVariant, Variants};
use crate::kernels::activation::Activation;
use crate::{Result, reference};

/// Which operands are read transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A `[rows, depth]`, B `[depth, columns]`.
    Nn,
    /// A `[rows, depth]`, B `[columns, depth]`.
    Nt,
    /// A `[depth, rows]`, B `[depth, columns]`.
    Tn,
}

impl Layout {
    /// Every layout, for tests that walk them.
    pub const ALL: [Self; 3] = [Self::Nn, Self::Nt, Self::Tn];

    /// Whether A is stored `[depth, rows]`.
    pub const fn transpose_a(self) -> bool {
        matches!(self, Self::Tn)
    }

    /// Whether B is stored `[columns, depth]`.
    pub const fn transpose_b(self) -> bool {
        matches!(self, Self::Nt)
    }
}

/// What happens to the product on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Epilogue {
    /// `C = A·B`
    None,
    /// `C = f(A·B + bias)`; where the slope of f needs it, `A·B + bias` is written too.
    Dense(Activation),
    /// `C = A·B * f'(kept)`: the gradient passes the activation of the layer below.
    Slope(Activation),
}

impl Epilogue {
    /// The activation whose value or slope is taken.
    pub(super) fn activation(self) -> Activation {
        match self {
            Self::None => Activation::Identity,
            Self::Dense(activation) | Self::Slope(activation) => activation,
        }
    }

    /// The entry point that every variant has for it.
    pub(super) fn entry(self) -> &'static str {
        match self {
            Self::None => "product",
            Self::Dense(activation) if activation.keeps_input() => "dense_keep",
            Self::Dense(_) => "dense",
            Self::Slope(_) => "product_slope",
        }
    }

    /// What [`Kernel::operands`] are behind A and B where C has `words`, `columns` of them in a row.
    pub(super) fn operands(self, words: usize, columns: u32) -> Vec<Operand> {
        let c = Operand::write("c", words);
        match self {
            Self::None => vec![c],
            Self::Dense(activation) => {
                let mut operands = vec![Operand::read("bias", columns as usize), c];
                if activation.keeps_input() {
                    operands.push(Operand::write("preactivation", words));
                }
                operands
            }
            Self::Slope(_) => vec![Operand::read("kept", words.next_multiple_of(4)), c],
        }
    }

    /// Writes the elements of A·B, `columns` in a row, as the variants do.
    pub(super) fn reference(
        self,
        values: Vec<f64>,
        columns: u32,
        accumulate: bool,
        reads: &[&[u32]],
        writes: &mut [&mut [u32]],
    ) {
        let activation = self.activation();
        let extra = reads.get(2).map(|words| floats(words));
        let (c, kept) = writes.split_at_mut(1);
        let c = floats_mut(c[0]);
        let mut kept = kept.first_mut().map(|words| floats_mut(words));
        let mut write = |at: usize, value: f64| {
            c[at] = if accumulate { (f64::from(c[at]) + value) as f32 } else { value as f32 };
        };
        for (at, value) in values.into_iter().enumerate() {
            match (self, extra) {
                (Self::Dense(_), Some(bias)) => {
                    let z = value + f64::from(bias[at % columns as usize]);
                    if let Some(kept) = &mut kept {
                        kept[at] = z as f32;
                    }
                    write(at, activation.value(z));
                }
                (Self::Slope(_), Some(kept)) => {
                    write(at, value * activation.slope_from_kept(f64::from(kept[at])));
                }
                _ => write(at, value),
            }
        }
    }
}

/// The shader of the variant in use, of those for `[tile, register, shuffle]`, and its workgroups for a
/// product of `rows` x `columns`.
pub(super) fn variant(
    variants: &Variants,
    [tile, register, shuffle]: [&'static Shader; 3],
    rows: u32,
    columns: u32,
) -> (&'static Shader, u32) {
    match variants.matmul {
        MatMulVariant::Tile => (tile, shaders::tile_workgroups(rows, columns)),
        MatMulVariant::Register => (register, shaders::register_workgroups(rows, columns)),
        MatMulVariant::Shuffle => (shuffle, shaders::shuffle_workgroups(rows, columns)),
    }
}

/// Which operands are whole vec4s along the axis that is contiguous in memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Aligned {
    pub(super) a: bool,
    pub(super) b: bool,
    pub(super) kept: bool,
}

/// The constants of every variant.
pub(super) fn constants(
    layout: Layout,
    aligned: Aligned,
    epilogue: Epilogue,
    accumulate: bool,
) -> Vec<(&'static str, f64)> {
    let flag = |on: bool| f64::from(u8::from(on));
    vec![
        ("TRANSPOSE_A", flag(layout.transpose_a())),
        ("TRANSPOSE_B", flag(layout.transpose_b())),
        ("ALIGNED_A", flag(aligned.a)),
        ("ALIGNED_B", flag(aligned.b)),
        // Only the slope reads it; elsewhere it would make two pipelines of one.
        ("ALIGNED_KEPT", flag(aligned.kept || !matches!(epilogue, Epilogue::Slope(_)))),
        ("ACCUMULATE", flag(accumulate)),
        ("ACTIVATION", f64::from(epilogue.activation().code())),
    ]
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

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    columns: u32,
    depth: u32,
}

impl MatMul {
    /// The largest depth. Some CPU drivers end every loop of an invocation once they have run 65,535
    /// rounds between them, without a word, and the shortest step of the variants is 4.
    pub const MAX_DEPTH: u32 = 4 * 65_000;

    // vec4 loads need the contiguous extent to be a multiple of four.
    fn aligned(&self) -> Aligned {
        let whole = |extent: u32| extent.is_multiple_of(4);
        Aligned {
            a: whole(if self.layout.transpose_a() { self.rows } else { self.depth }),
            b: whole(if self.layout.transpose_b() { self.depth } else { self.columns }),
            kept: whole(self.columns),
        }
    }
}

impl Kernel for MatMul {
    fn title(&self) -> &'static str {
        match self.epilogue.entry() {
            "product" => "matmul",
            "dense" => "matmul+bias+activation",
            "dense_keep" => "matmul+bias+activation, kept",
            _ => "matmul*slope",
        }
    }

    fn program(&self, variants: &Variants) -> Program {
        let each = [&shaders::TILE, &shaders::REGISTER, &shaders::SHUFFLE];
        let (shader, workgroups) = variant(variants, each, self.rows, self.columns);
        let constants = constants(self.layout, self.aligned(), self.epilogue, self.accumulate);
        Program { shader, entry: self.epilogue.entry(), constants, workgroups }
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, columns, depth, .. } = *self;
        bytemuck::bytes_of(&Params { rows, columns, depth }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let size = |m: u32, n: u32| m as usize * n as usize;
        // A vec4 binding must hold whole vec4s.
        let padded = |m, n| size(m, n).next_multiple_of(4);
        let mut operands = vec![
            Operand::read("a", padded(self.rows, self.depth)),
            Operand::read("b", padded(self.depth, self.columns)),
        ];
        operands.extend(self.epilogue.operands(size(self.rows, self.columns), self.columns));
        operands
    }

    fn check(&self) -> Result<()> {
        within("rows of a matrix product", self.rows, 1..=u32::MAX)?;
        within("columns of a matrix product", self.columns, 1..=u32::MAX)?;
        within("depth of a matrix product", self.depth, 1..=Self::MAX_DEPTH)
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.rows) * u64::from(self.columns) * u64::from(self.depth)
    }

    fn shape(&self) -> String {
        let a = if self.layout.transpose_a() { "T" } else { "" };
        let b = if self.layout.transpose_b() { "T" } else { "" };
        format!("[{}, {}]{a} x [{}, {}]{b}", self.rows, self.depth, self.depth, self.columns)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let product = reference::matmul::Product {
            rows: self.rows as usize,
            columns: self.columns as usize,
            depth: self.depth as usize,
            transpose_a: self.layout.transpose_a(),
            transpose_b: self.layout.transpose_b(),
        };
        let values = product.compute(floats(reads[0]), floats(reads[1]));
        self.epilogue.reference(values, self.columns, self.accumulate, reads, writes);
    }
}
