//! Sums, exponentials and logarithms, number by number: the twin of `shaders/elementwise.wgsl`.

/// The least number whose logarithm is taken, and what any number below counts as: the least normal f32, `2^-126`.
pub const LEAST: f64 = f32::MIN_POSITIVE as f64;

// NaN stays NaN.
fn bounded(x: f64) -> f64 {
    if x < LEAST { LEAST } else { x }
}

/// `log max(x, LEAST)`. Infinity and NaN stay as they are.
pub fn logarithm(x: f64) -> f64 {
    if x.is_finite() { bounded(x).ln() } else { x }
}

/// The derivative of [`logarithm`] by x. Below [`LEAST`] it is the one at the bound, so that it still pulls x back.
pub fn logarithm_slope(x: f64) -> f64 {
    1.0 / bounded(x)
}
