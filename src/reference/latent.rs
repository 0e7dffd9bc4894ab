//! The Gaussian code's sample: the twin of `shaders/latent.wgsl`.

use crate::rng::{Stream, normal_at};

/// A sample of `N(mu, e^logvar)` made from a standard normal `eps`: `mu + e^(logvar/2) eps` (Kingma and
/// Welling 2013, section 2.4).
pub fn reparameterize(mu: f64, logvar: f64, eps: f64) -> f64 {
    mu + (0.5 * logvar).exp() * eps
}

/// The derivative of [`reparameterize`] by `logvar`. That by `mu` is 1.
pub fn reparameterize_logvar_slope(logvar: f64, eps: f64) -> f64 {
    0.5 * (0.5 * logvar).exp() * eps
}

/// `log p(z) - log q(z|x)` of one number z of a sample made from `eps`, in nats, with the prior p = N(0, 1) and
/// `q = N(mu, e^logvar)`: `(eps^2 - z^2 + logvar) / 2`. Its mean over eps is minus the divergence.
pub fn log_ratio(mu: f64, logvar: f64, eps: f64) -> f64 {
    let z = reparameterize(mu, logvar, eps);
    0.5 * ((eps - z) * (eps + z) + logvar)
}

/// Where the mu of element e of the codes stands in `stats`, `[rows, 2 latent]`; its logvar stands `latent` further.
pub const fn mu_at(e: usize, latent: usize) -> usize {
    e / latent * 2 * latent + e % latent
}

/// Of each element of the codes, mu, logvar and the noise of `seed`, `step` and `instance`.
pub fn draws(
    stats: Vec<f64>,
    latent: usize,
    seed: [u32; 2],
    step: u32,
    instance: u32,
) -> impl Iterator<Item = [f64; 3]> {
    (0..stats.len() / 2).map(move |e| {
        let mu = mu_at(e, latent);
        [stats[mu], stats[mu + latent], normal_at(seed, step, Stream::Latent, instance, e)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::divergence::gaussian_kl;

    const H: f64 = 1e-5;

    fn close(what: &str, slope: f64, up: f64, down: f64) {
        let numeric = (up - down) / (2.0 * H);
        let error = (numeric - slope).abs() / (1.0 + slope.abs());
        assert!(error < 1e-9, "{what}: {slope}, numerically {numeric}");
    }

    #[test]
    fn slopes_are_the_central_differences_of_the_values() {
        for (mu, logvar, eps) in [(0.0, 0.0, 0.5), (1.3, -2.0, -1.1), (-0.4, 0.7, 2.9), (3.0, 1e-3, 0.1)] {
            let sample = |mu, logvar| reparameterize(mu, logvar, eps);
            close("sample by mu", 1.0, sample(mu + H, logvar), sample(mu - H, logvar));
            let slope = reparameterize_logvar_slope(logvar, eps);
            close("sample by logvar", slope, sample(mu, logvar + H), sample(mu, logvar - H));
        }
    }

    #[test]
    fn the_log_ratio_is_that_of_the_densities() {
        let log_density = |z: f64, mu: f64, logvar: f64| {
            -0.5 * ((z - mu).powi(2) * (-logvar).exp() + logvar + std::f64::consts::TAU.ln())
        };
        for (mu, logvar, eps) in [(0.0, 0.0, 1.0), (0.8, -0.6, 0.3), (-2.0, 1.1, -1.7)] {
            let z = reparameterize(mu, logvar, eps);
            let expected = log_density(z, 0.0, 0.0) - log_density(z, mu, logvar);
            let got = log_ratio(mu, logvar, eps);
            assert!((got - expected).abs() < 1e-12, "{mu}, {logvar}, {eps}: {got}, not {expected}");
        }
    }

    #[test]
    fn the_mean_log_ratio_is_minus_the_divergence() {
        for (mu, logvar) in [(0.0, 0.0), (0.8, -0.6), (-2.0, 1.1)] {
            let term = |i: i32| {
                let eps = f64::from(i) * 1e-3;
                (-0.5 * eps * eps).exp() / std::f64::consts::TAU.sqrt() * log_ratio(mu, logvar, eps) * 1e-3
            };
            let mean: f64 = (-9000..9000).map(term).sum();
            let kl = gaussian_kl(mu, logvar);
            assert!((mean + kl).abs() < 1e-9, "{mu}, {logvar}: {mean} against {kl}");
        }
    }
}
