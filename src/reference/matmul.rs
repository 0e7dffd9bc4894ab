//! Matrix products: the twin of `shaders/matmul_*.wgsl`.

use rayon::prelude::*;

use super::activation::Activation;
use super::latent::followed;
use super::reduce::add_scaled;
use super::words::{floats, floats_mut, put};

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

/// What is done to the product before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Epilogue {
    /// `C = A·B`
    None,
    /// `C = f(A·B + bias)`; where the slope of f needs it, `A·B + bias` is written too.
    Dense(Activation),
    /// `C = A·B * f'(kept)`: the gradient passes the activation of the layer below.
    Slope(Activation),
    /// `C = A·B`, and the sums of A's rows beside it, written or added: the gradient of a bias beside that of its weight.
    Sums {
        /// Add to the sums that are there.
        accumulate: bool,
    },
    /// `A·B` is the gradient dz of a Gaussian code's sample, and C that of the code, whose lines hold mu and then logvar:
    /// `dmu = A·B`, `dlogvar = A·B * spread` with `spread = dz / dlogvar`, of which only what leads back counts beyond the
    /// bounds of logvar.
    Sample,
}

impl Epilogue {
    /// The activation whose value or slope is taken.
    pub fn activation(self) -> Activation {
        match self {
            Self::None | Self::Sums { .. } | Self::Sample => Activation::Identity,
            Self::Dense(activation) | Self::Slope(activation) => activation,
        }
    }

    /// Whether `A·B + bias` is written beside C.
    pub fn keeps(self) -> bool {
        matches!(self, Self::Dense(activation) if activation.keeps_input())
    }

    /// Writes the elements of A·B, `columns` per row: `reads` are A, B and what the epilogue takes, `writes` are C and
    /// `A·B + bias` where that is kept. Rows begin `line` numbers apart in C and in what is kept.
    pub fn reference(
        self,
        values: Vec<f64>,
        [columns, line]: [usize; 2],
        accumulate: bool,
        reads: &[&[u32]],
        writes: &mut [&mut [u32]],
    ) {
        let activation = self.activation();
        let extra = reads.get(2).map(|words| floats(words));
        let (c, kept) = writes.split_at_mut(1);
        let c = floats_mut(c[0]);
        if self == Self::Sample {
            let [stats, spread] = [2, 3].map(|at| floats(reads[at]));
            for ((number, dz), spread) in values.into_iter().enumerate().zip(spread) {
                let mu_at = number / columns * line + number % columns;
                let logvar_at = mu_at + columns;
                let slope = followed(f64::from(stats[logvar_at]), dz * f64::from(*spread));
                put(&mut c[mu_at], dz, accumulate);
                put(&mut c[logvar_at], slope, accumulate);
            }
            return;
        }
        let mut kept = kept.first_mut().filter(|_| self.keeps()).map(|words| floats_mut(words));
        for (number, value) in values.into_iter().enumerate() {
            let at = number / columns * line + number % columns;
            let value = match (self, extra) {
                (Self::Dense(_), Some(bias)) => {
                    let z = value + f64::from(bias[number % columns]);
                    if let Some(kept) = &mut kept {
                        kept[at] = z as f32;
                    }
                    activation.value(z)
                }
                (Self::Slope(_), Some(kept)) => value * activation.slope_from_kept(f64::from(kept[at])),
                _ => value,
            };
            put(&mut c[at], value, accumulate);
        }
    }
}

/// `C[rows, columns] = op(A)·op(B)`, all row-major, in f64, where lines of A and B begin so many numbers apart.
/// Processors share the rows; each sum keeps its order.
pub fn product([rows, columns, depth]: [usize; 3], layout: Layout, [a, b]: [(&[f32], usize); 2]) -> Vec<f64> {
    let ((a, a_line), (b, b_line)) = (a, b);
    let mut c = vec![0.0; rows * columns];
    if c.is_empty() {
        return c;
    }
    c.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
        for k in 0..depth {
            let left =
                f64::from(if layout.transpose_a() { a[k * a_line + row] } else { a[row * a_line + k] });
            if layout.transpose_b() {
                for (column, sum) in out.iter_mut().enumerate() {
                    *sum += left * f64::from(b[column * b_line + k]);
                }
            } else {
                add_scaled(out, left, &b[k * b_line..][..columns]);
            }
        }
    });
    c
}

/// The sum of products that lie one behind the other, `[parts, rows, columns]`, whose lines are whole vec4s.
pub fn sum_of_parts(partial: &[f32], [rows, columns]: [usize; 2]) -> Vec<f64> {
    let line = columns.next_multiple_of(4);
    let mut sums = vec![0.0; rows * columns];
    for part in partial.chunks(rows * line) {
        for (sums, line) in sums.chunks_mut(columns).zip(part.chunks(line)) {
            add_scaled(sums, 1.0, &line[..columns]);
        }
    }
    sums
}
