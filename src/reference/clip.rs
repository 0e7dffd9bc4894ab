//! What keeps gradients from growing too large: the twin of `shaders/clip.wgsl`.

/// The squared norm of `gradient`, in units of `limit`.
pub fn squares(gradient: &[f64], limit: f64) -> f64 {
    gradient.iter().map(|g| (g / limit).powi(2)).sum()
}

/// What gradients are multiplied by so that their norm stays within its limit, given the [`squares`] of them all
/// (Pascanu et al. 2013, algorithm 1): one where it does already. Where they are not finite, what they are.
pub fn factor(squares: f64) -> f64 {
    if squares.is_finite() { 1.0 / squares.sqrt().max(1.0) } else { squares }
}

/// The nearest number to `gradient` within `[-limit, limit]`. NaN stays NaN.
pub fn clamped(gradient: f64, limit: f64) -> f64 {
    if gradient.is_nan() { gradient } else { gradient.clamp(-limit, limit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clipped_norm_is_the_smaller_of_itself_and_the_limit() {
        let norm = |g: &[f64]| g.iter().map(|g| g * g).sum::<f64>().sqrt();
        let gradient = [3.0, -4.0, 12.0];
        for limit in [0.1, 1.0, 12.9, 13.0, 13.1, 1e9] {
            let factor = factor(squares(&gradient, limit));
            let clipped = gradient.map(|g| g * factor);
            assert!((norm(&clipped) - limit.min(13.0)).abs() < 1e-12, "limit {limit}");
            assert!(factor <= 1.0);
        }
        assert_eq!(factor(squares(&[0.0; 5], 1.0)), 1.0);
    }

    #[test]
    fn nothing_finite_is_left_where_the_norm_is_not() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let factor = factor(squares(&[1.0, bad, 0.0], 1.0));
            assert!([1.0, bad, 0.0].iter().all(|g| !(g * factor).is_finite()));
        }
    }

    #[test]
    fn a_clamped_gradient_keeps_its_sign_and_nan() {
        assert_eq!([-3.0, -2.0, 0.5, 2.0, 9.0].map(|g| clamped(g, 2.0)), [-2.0, -2.0, 0.5, 2.0, 2.0]);
        assert_eq!(clamped(f64::NEG_INFINITY, 2.0), -2.0);
        assert!(clamped(f64::NAN, 2.0).is_nan());
    }
}
