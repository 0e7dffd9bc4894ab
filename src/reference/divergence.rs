//! The divergence of the Gaussian code from its prior: the twin of `shaders/divergence.wgsl`.

use super::latent::{held, mu_at};

/// Nats of `KL(N(mu, e^logvar) || N(0, 1))`: `(mu^2 + e^logvar - 1 - logvar) / 2` (Kingma and Welling 2013,
/// appendix B), with the nearest log variance in [`LOGVAR`](super::latent::LOGVAR).
pub fn gaussian_kl(mu: f64, logvar: f64) -> f64 {
    let logvar = held(logvar);
    0.5 * (mu * mu + (logvar.exp_m1() - logvar))
}

/// The derivatives of [`gaussian_kl`] by `mu` and by the `logvar` that counts: beyond its bounds they lead back.
pub fn gaussian_kl_slopes(mu: f64, logvar: f64) -> [f64; 2] {
    [mu, 0.5 * held(logvar).exp_m1()]
}

/// Whether a dimension stays within its free bits, so that `max(free_bits, sum / rows)` has no slope (Kingma et al.
/// 2016, equation 15). `sum` is that of its nats over a batch of `rows`.
pub fn is_free(sum: f64, rows: u32, free_bits: f32) -> bool {
    sum <= f64::from(free_bits) * f64::from(rows)
}

/// mu and logvar of each element of the codes with these `stats`, `[rows, 2 latent]`.
pub fn moments(stats: &[f64], latent: usize) -> Vec<[f64; 2]> {
    (0..stats.len() / 2).map(|e| mu_at(e, latent)).map(|mu| [stats[mu], stats[mu + latent]]).collect()
}
