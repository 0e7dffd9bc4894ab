//! Sums, exponentials and logarithms, number by number: the twin of `shaders/elementwise.wgsl`.

/// What a number counts as at least where its logarithm is taken: the least normal one of f32, `2^-126`.
pub const LEAST: f64 = f32::MIN_POSITIVE as f64;

// NaN stays NaN.
fn held(x: f64) -> f64 {
    if x < LEAST { LEAST } else { x }
}

/// `log max(x, LEAST)`; of infinity or NaN, that itself.
pub fn logarithm(x: f64) -> f64 {
    if x.is_finite() { held(x).ln() } else { x }
}

/// The derivative of [`logarithm`] by x; below [`LEAST`] that at the bound, so that it still calls x back.
pub fn logarithm_slope(x: f64) -> f64 {
    1.0 / held(x)
}
