//! Elementwise products with rows that repeat: the twin of `shaders/hadamard.wgsl`.

/// `y[r, k] = p[r, k] s[r / repeat, k]` of `p` `[rows * repeat, columns]` and `s` `[rows, columns]`.
pub fn multiply(p: &[f64], s: &[f64], columns: usize, repeat: usize) -> Vec<f64> {
    p.iter().enumerate().map(|(i, p)| p * s[row_of(i, columns, repeat)]).collect()
}

/// The gradients of [`multiply`] by `p` and by `s`, given that of its result.
pub fn gradients(p: &[f64], s: &[f64], dy: &[f64], columns: usize, repeat: usize) -> [Vec<f64>; 2] {
    let mut ds = vec![0.0; s.len()];
    for (i, (p, dy)) in p.iter().zip(dy).enumerate() {
        ds[row_of(i, columns, repeat)] += dy * p;
    }
    [multiply(dy, s, columns, repeat), ds]
}

// Where in s the factor of element i of p stands.
fn row_of(i: usize, columns: usize, repeat: usize) -> usize {
    i / columns / repeat * columns + i % columns
}
