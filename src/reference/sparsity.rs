//! Penalties that keep a code sparse: the twin of `shaders/sparsity.wgsl`.

/// The derivative of `|z|`, zero at zero.
pub fn l1_slope(z: f64) -> f64 {
    if z == 0.0 { 0.0 } else { z.signum() }
}

/// The least distance of a mean activation from 0 and 1: nearer ones count as this near.
pub const LEAST_ACTIVE: f64 = 1e-6;

// NaN stays NaN.
fn clamped(q: f64) -> f64 {
    if q.is_nan() { q } else { q.clamp(LEAST_ACTIVE, 1.0 - LEAST_ACTIVE) }
}

/// Nats of `KL(p || q)` between two coins, `p log(p/q) + (1-p) log((1-p)/(1-q))`, with q clamped to
/// [[`LEAST_ACTIVE`], 1 - [`LEAST_ACTIVE`]] (Ng 2011, "Sparse autoencoder", section 3).
pub fn kl(p: f64, q: f64) -> f64 {
    let q = clamped(q);
    // u - log(1 + u) for either side: weighted by p and 1 - p the u add up to zero, and nothing cancels.
    let surplus = |u: f64| u - u.ln_1p();
    p * surplus((q - p) / p) + (1.0 - p) * surplus((p - q) / (1.0 - p))
}

/// The derivative of [`kl`] by q. Outside of the bounds it is the one at the bound, so that it still pulls q back.
pub fn kl_slope(p: f64, q: f64) -> f64 {
    let q = clamped(q);
    (q - p) / (q * (1.0 - q))
}
