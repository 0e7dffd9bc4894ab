//! Matrix products with fused epilogues, in every variant (`shaders/matmul_*.wgsl`).

use narrows_shaders::matmul as shaders;

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

    // vec4 loads need the contiguous extents of A, of B and of what is kept to be multiples of four.
    fn aligned(&self) -> bool {
        let a = if self.layout.transpose_a() { self.rows } else { self.depth };
        let b = if self.layout.transpose_b() { self.depth } else { self.columns };
        let kept = if matches!(self.epilogue, Epilogue::Slope(_)) { self.columns } else { 4 };
        [a, b, kept].iter().all(|extent| extent.is_multiple_of(4))
    }

    fn activation(&self) -> Activation {
        match self.epilogue {
            Epilogue::None => Activation::Identity,
            Epilogue::Dense(activation) | Epilogue::Slope(activation) => activation,
        }
    }

    fn entry(&self) -> &'static str {
        match self.epilogue {
            Epilogue::None => "product",
            Epilogue::Dense(activation) if activation.keeps_input() => "dense_keep",
            Epilogue::Dense(_) => "dense",
            Epilogue::Slope(_) => "product_slope",
        }
    }
}

impl Kernel for MatMul {
    fn name(&self) -> &'static str {
        match self.entry() {
            "product" => "matmul",
            "dense" => "matmul+bias+activation",
            "dense_keep" => "matmul+bias+activation, kept",
            _ => "matmul*slope",
        }
    }

    fn program(&self, variants: &Variants) -> Program {
        let (shader, workgroups) = match variants.matmul {
            MatMulVariant::Tile => (&shaders::TILE, shaders::tile_workgroups(self.rows, self.columns)),
            MatMulVariant::Register => {
                (&shaders::REGISTER, shaders::register_workgroups(self.rows, self.columns))
            }
            MatMulVariant::Shuffle => {
                (&shaders::SHUFFLE, shaders::shuffle_workgroups(self.rows, self.columns))
            }
        };
        let flag = |on: bool| f64::from(u8::from(on));
        Program {
            shader,
            entry: self.entry(),
            constants: vec![
                ("TRANSPOSE_A", flag(self.layout.transpose_a())),
                ("TRANSPOSE_B", flag(self.layout.transpose_b())),
                ("ALIGNED", flag(self.aligned())),
                ("ACCUMULATE", flag(self.accumulate)),
                ("ACTIVATION", f64::from(self.activation().code())),
            ],
            workgroups,
        }
    }

    fn params(&self) -> Vec<u8> {
        let Self { rows, columns, depth, .. } = *self;
        bytemuck::bytes_of(&Params { rows, columns, depth }).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let size = |m: u32, n: u32| m as usize * n as usize;
        // A vec4 binding must hold whole vec4s.
        let padded = |m, n| size(m, n).next_multiple_of(4);
        let output = size(self.rows, self.columns);
        let mut operands = vec![
            Operand::read("a", padded(self.rows, self.depth)),
            Operand::read("b", padded(self.depth, self.columns)),
        ];
        match self.epilogue {
            Epilogue::None => {}
            Epilogue::Dense(_) => operands.push(Operand::read("bias", self.columns as usize)),
            Epilogue::Slope(_) => operands.push(Operand::read("kept", padded(self.rows, self.columns))),
        }
        operands.push(Operand::write("c", output));
        if self.entry() == "dense_keep" {
            operands.push(Operand::write("preactivation", output));
        }
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
        let activation = self.activation();
        let (a, b) = (floats(reads[0]), floats(reads[1]));
        let extra = reads.get(2).map(|words| floats(words));
        let (c, kept) = writes.split_at_mut(1);
        let c = floats_mut(c[0]);
        let mut kept = kept.first_mut().map(|words| floats_mut(words));
        let accumulate = self.accumulate;
        let mut write = |at: usize, value: f64| {
            c[at] = if accumulate { (f64::from(c[at]) + value) as f32 } else { value as f32 };
        };
        let columns = self.columns as usize;
        let values = product.compute(a, b);
        for (at, value) in values.into_iter().enumerate() {
            match (self.epilogue, extra) {
                (Epilogue::Dense(_), Some(bias)) => {
                    let z = value + f64::from(bias[at % columns]);
                    if let Some(kept) = &mut kept {
                        kept[at] = z as f32;
                    }
                    write(at, activation.value(z));
                }
                (Epilogue::Slope(_), Some(kept)) => {
                    write(at, value * activation.slope_from_kept(f64::from(kept[at])));
                }
                _ => write(at, value),
            }
        }
    }
}
