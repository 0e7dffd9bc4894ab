//! Elementwise products with rows that repeat: the twin of `shaders/hadamard.wgsl`.

use super::reduce::sums_by_place;

/// `y[r, k] = p[r, k] s[r / repeat, k]` of `p` `[rows * repeat, columns]` and `s` `[rows, columns]`.
pub fn multiply(p: &[f64], s: &[f64], columns: usize, repeat: usize) -> Vec<f64> {
    p.iter().enumerate().map(|(i, p)| p * s[row_of(i, columns, repeat)]).collect()
}

/// The gradients of [`multiply`] by `p` and by `s`, given that of its result.
pub fn gradients(p: &[f64], s: &[f64], dy: &[f64], columns: usize, repeat: usize) -> [Vec<f64>; 2] {
    let products = p.iter().zip(dy).map(|(p, dy)| dy * p);
    let ds = sums_by_place(products, (0..).map(|i| row_of(i, columns, repeat)), s.len());
    [multiply(dy, s, columns, repeat), ds]
}

// The place in s of the factor of element i of p.
fn row_of(i: usize, columns: usize, repeat: usize) -> usize {
    i / columns / repeat * columns + i % columns
}
