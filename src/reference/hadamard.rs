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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::compare::numeric_gradient;

    #[test]
    fn gradients_are_the_central_differences_of_the_product() {
        let (rows, columns, repeat) = (3, 5, 4);
        let wave = |count: usize, shift: f64| -> Vec<f64> {
            (0..count).map(|i| (shift + 1.7 * i as f64).sin()).collect()
        };
        let (p, s) = (wave(rows * repeat * columns, 0.1), wave(rows * columns, 0.5));
        let dy = wave(p.len(), 0.9);
        let loss = |p: &[f64], s: &[f64]| -> f64 {
            multiply(p, s, columns, repeat).iter().zip(&dy).map(|(y, dy)| y * dy).sum()
        };
        let [dp, ds] = gradients(&p, &s, &dy, columns, repeat);
        numeric_gradient("p", &p, &dp, |p| loss(p, &s));
        numeric_gradient("s", &s, &ds, |s| loss(&p, s));
    }
}
