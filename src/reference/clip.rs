//! Gradient clipping: the twin of `shaders/clip.wgsl`.

/// The squared norm of `gradient`, in units of `limit`.
pub fn squares(gradient: &[f64], limit: f64) -> f64 {
    gradient.iter().map(|g| (g / limit).powi(2)).sum()
}

/// The factor that brings the norm of all gradients within its limit, from their [`squares`] (Pascanu et al. 2013,
/// algorithm 1): 1 where the norm is within the limit already. Squares that are not finite are returned as they are.
pub fn factor(squares: f64) -> f64 {
    if squares.is_finite() { 1.0 / squares.sqrt().max(1.0) } else { squares }
}

/// The nearest number to `gradient` within `[-limit, limit]`. NaN stays NaN.
pub fn clamped(gradient: f64, limit: f64) -> f64 {
    if gradient.is_nan() { gradient } else { gradient.clamp(-limit, limit) }
}
