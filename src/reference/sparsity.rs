//! What keeps a code sparse: the twin of `shaders/sparsity.wgsl`.

/// The derivative of `|z|`, zero at zero.
pub fn l1_slope(z: f64) -> f64 {
    if z == 0.0 { 0.0 } else { z.signum() }
}

/// How near to 0 or 1 a mean activation counts.
pub const LEAST_ACTIVE: f64 = 1e-6;

// NaN stays NaN.
fn held(q: f64) -> f64 {
    if q.is_nan() { q } else { q.clamp(LEAST_ACTIVE, 1.0 - LEAST_ACTIVE) }
}

/// Nats of `KL(p || q)` between two coins, `p log(p/q) + (1-p) log((1-p)/(1-q))`, with q held within
/// [[`LEAST_ACTIVE`], 1 - [`LEAST_ACTIVE`]] (Ng 2011, "Sparse autoencoder", section 3).
pub fn kl(p: f64, q: f64) -> f64 {
    let q = held(q);
    // u - log(1 + u) for either side: weighed by p and 1 - p the u add up to zero, and nothing cancels.
    let surplus = |u: f64| u - u.ln_1p();
    p * surplus((q - p) / p) + (1.0 - p) * surplus((p - q) / (1.0 - p))
}

/// The derivative of [`kl`] by q inside of its bounds; outside of them that at the bound, so that it still calls
/// q back.
pub fn kl_slope(p: f64, q: f64) -> f64 {
    let q = held(q);
    (q - p) / (q * (1.0 - q))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_the_central_differences_of_the_values() {
        let h = 1e-7;
        for p in [0.01, 0.1, 0.5, 0.9] {
            for q in [1e-3, 0.05, 0.1, 0.3, 0.5, 0.999] {
                let numeric = (kl(p, q + h) - kl(p, q - h)) / (2.0 * h);
                let error = (numeric - kl_slope(p, q)).abs() / (1.0 + numeric.abs());
                assert!(error < 1e-6, "p {p}, q {q}: {}, numerically {numeric}", kl_slope(p, q));
            }
        }
        for z in [-3.0_f64, -1e-3, 1e-3, 2.0] {
            assert_eq!(l1_slope(z), ((z + 1e-4).abs() - (z - 1e-4).abs()).signum());
        }
        assert_eq!(l1_slope(0.0), 0.0);
    }

    #[test]
    fn the_divergence_is_that_of_two_coins() {
        for (p, q) in [(0.1_f64, 0.4_f64), (0.5, 0.5), (0.2, 1e-4), (0.9, 0.05)] {
            let plain = p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln();
            assert!((kl(p, q) - plain).abs() < 1e-12, "{p}, {q}: {} against {plain}", kl(p, q));
        }
        assert_eq!(kl(0.1, 0.1), 0.0);
        assert!(kl(0.1, 0.1 + 1e-9) > 0.0);
    }

    #[test]
    fn a_unit_that_is_always_off_or_on_is_called_back_and_stays_finite() {
        for (q, bound) in [(0.0, LEAST_ACTIVE), (-1.0, LEAST_ACTIVE), (1.0, 1.0 - LEAST_ACTIVE)] {
            assert_eq!(kl(0.1, q), kl(0.1, bound));
            assert_eq!(kl_slope(0.1, q), kl_slope(0.1, bound));
            assert!(kl(0.1, q).is_finite() && (kl_slope(0.1, q) > 0.0) == (q > 0.1));
        }
        assert!(kl(0.1, f64::NAN).is_nan() && kl_slope(0.1, f64::NAN).is_nan());
    }
}
