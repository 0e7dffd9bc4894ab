//! Matrix products: the twin of `shaders/matmul_*.wgsl`.

use rayon::prelude::*;

/// The shape of a product `C[rows, columns] = op(A)·op(B)`, all row-major.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Rows of C.
    pub rows: usize,
    /// Columns of C.
    pub columns: usize,
    /// The extent summed over.
    pub depth: usize,
    /// A is stored `[depth, rows]`.
    pub transpose_a: bool,
    /// B is stored `[columns, depth]`.
    pub transpose_b: bool,
}

impl Product {
    /// C in f64, `[rows, columns]`. Rows are shared out over the processors; each sum keeps its order.
    pub fn compute(&self, a: &[f32], b: &[f32]) -> Vec<f64> {
        let Self { rows, columns, depth, transpose_a, transpose_b } = *self;
        let mut c = vec![0.0; rows * columns];
        if c.is_empty() {
            return c;
        }
        c.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
            for k in 0..depth {
                let left = f64::from(if transpose_a { a[k * rows + row] } else { a[row * depth + k] });
                if transpose_b {
                    for (column, sum) in out.iter_mut().enumerate() {
                        *sum += left * f64::from(b[column * depth + k]);
                    }
                } else {
                    let line = &b[k * columns..(k + 1) * columns];
                    for (sum, right) in out.iter_mut().zip(line) {
                        *sum += left * f64::from(*right);
                    }
                }
            }
        });
        c
    }
}
