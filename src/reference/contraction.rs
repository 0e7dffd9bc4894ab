//! The squared Frobenius norm of an encoder's Jacobian: the twin of `shaders/contraction.wgsl`.

use super::reduce::sums_by_place;

/// `||diag(s) w||²` for one image's slopes `s` and the squared norms of the rows of w: with sigmoid units
/// Rifai et al. 2011, section 3.
pub fn unit_value(s: &[f64], norms: &[f64]) -> f64 {
    s.iter().zip(norms).map(|(s, norm)| s * s * norm).sum()
}

/// The gradient of [`unit_value`] by `s`.
pub fn unit_slopes(s: &[f64], norms: &[f64]) -> Vec<f64> {
    s.iter().zip(norms).map(|(s, norm)| 2.0 * s * norm).collect()
}

/// The gradient by `w` `[units, columns]` of the sum over images of [`unit_value`], for constant slopes `s`
/// `[rows, units]`. `t` is `s`, or, where each image's value has a weight, `s` with each row multiplied by that weight.
pub fn unit_weights(s: &[f64], t: &[f64], w: &[f64], columns: usize) -> Vec<f64> {
    let units = w.len() / columns;
    let products = sums_by_place(s.iter().zip(t).map(|(s, t)| s * t), (0..units).cycle(), units);
    w.iter().enumerate().map(|(i, w)| 2.0 * products[i / columns] * w).collect()
}

/// `sum a g`: with `g = a w wᵀ` the squared norm of `a w`.
pub fn quadratic(a: &[f64], g: &[f64]) -> f64 {
    a.iter().zip(g).map(|(a, g)| a * g).sum()
}
