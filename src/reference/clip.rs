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
