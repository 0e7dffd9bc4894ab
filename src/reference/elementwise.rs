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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithms_slopes_are_its_central_differences() {
        for x in [1e-3, 0.4, 1.0, 7.5, 1e6] {
            let h = 1e-6 * x;
            let numeric = (logarithm(x + h) - logarithm(x - h)) / (2.0 * h);
            let error = (numeric - logarithm_slope(x)).abs() / logarithm_slope(x);
            assert!(error < 1e-8, "{x}: {}, numerically {numeric}", logarithm_slope(x));
        }
    }

    #[test]
    fn a_logarithm_is_finite_but_where_its_argument_is_not() {
        for x in [LEAST, 0.0, -0.0, -3.0, f64::from(f32::MIN)] {
            assert_eq!(logarithm(x), LEAST.ln());
            assert_eq!(logarithm_slope(x), LEAST.recip());
        }
        assert_eq!(logarithm(f64::INFINITY), f64::INFINITY);
        assert!(logarithm(f64::NAN).is_nan() && logarithm_slope(f64::NAN).is_nan());
    }
}
