//! The Gaussian code's sample: the twin of `shaders/latent.wgsl`.

use std::ops::RangeInclusive;

use crate::rng::{Stream, normal_at};

/// The log variances of a code that count: one beyond counts as the nearest of them, so that neither a sample nor the
/// divergence can be infinite by it. The bounds are those of Rombach et al. 2022, in their code.
pub const LOGVAR: RangeInclusive<f64> = -30.0..=20.0;

// Which log variance counts. NaN stays NaN.
pub(super) const fn held(logvar: f64) -> f64 {
    logvar.clamp(*LOGVAR.start(), *LOGVAR.end())
}

/// What a step follows of a sample's `slope` by `logvar`: beyond the bounds only what leads back. That of the divergence
/// and of [`log_ratio`] leads back by itself.
pub fn followed(logvar: f64, slope: f64) -> f64 {
    let further = logvar < *LOGVAR.start() && slope > 0.0 || logvar > *LOGVAR.end() && slope < 0.0;
    if further { 0.0 } else { slope }
}

/// A sample of `N(mu, e^logvar)` made from a standard normal `eps`: `mu + e^(logvar/2) eps` (Kingma and
/// Welling 2013, section 2.4).
pub fn reparameterize(mu: f64, logvar: f64, eps: f64) -> f64 {
    mu + (0.5 * held(logvar)).exp() * eps
}

/// The derivative of [`reparameterize`] by the `logvar` that counts. That by `mu` is 1.
pub fn reparameterize_logvar_slope(logvar: f64, eps: f64) -> f64 {
    0.5 * (0.5 * held(logvar)).exp() * eps
}

/// `log p(z) - log q(z|x)` of one number z of a sample made from `eps`, in nats, with the prior p = N(0, 1) and
/// `q = N(mu, e^logvar)`: `(eps^2 - z^2 + logvar) / 2`. Its mean over eps is minus the divergence.
pub fn log_ratio(mu: f64, logvar: f64, eps: f64) -> f64 {
    let z = reparameterize(mu, logvar, eps);
    0.5 * ((eps - z) * (eps + z) + held(logvar))
}

/// The derivatives of [`log_ratio`] by mu and logvar.
pub fn log_ratio_slopes(mu: f64, logvar: f64, eps: f64) -> [f64; 2] {
    let z = reparameterize(mu, logvar, eps);
    [-z, 0.5 - z * reparameterize_logvar_slope(logvar, eps)]
}

/// The place of the mu of element e of the codes in `stats`, `[rows, 2 latent]`. Its logvar is `latent` places further.
pub const fn mu_at(e: usize, latent: usize) -> usize {
    e / latent * 2 * latent + e % latent
}

/// mu, logvar and the noise of each element of the codes, under `seed`, `step` and `instance`, from a block's first number on.
/// After `period` elements, where it is not 0, the noise begins again.
pub fn draws(
    stats: Vec<f64>,
    latent: usize,
    seed: [u32; 2],
    [first_block, step, instance]: [u32; 3],
    period: u32,
) -> impl Iterator<Item = [f64; 3]> {
    let first = 4 * first_block as usize;
    (0..stats.len() / 2).map(move |e| {
        let mu = mu_at(e, latent);
        let drawn = e.checked_rem(period as usize).unwrap_or(e);
        [stats[mu], stats[mu + latent], normal_at(seed, step, Stream::Latent, instance, first + drawn)]
    })
}
