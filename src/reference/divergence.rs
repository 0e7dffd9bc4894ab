//! How far the Gaussian code is from its prior: the twin of `shaders/divergence.wgsl`.

use super::latent::mu_at;

/// Nats of `KL(N(mu, e^logvar) || N(0, 1))`: `(mu^2 + e^logvar - 1 - logvar) / 2` (Kingma and Welling 2013,
/// appendix B).
pub fn gaussian_kl(mu: f64, logvar: f64) -> f64 {
    0.5 * (mu * mu + (logvar.exp_m1() - logvar))
}

/// The derivatives of [`gaussian_kl`] by `mu` and by `logvar`.
pub fn gaussian_kl_slopes(mu: f64, logvar: f64) -> [f64; 2] {
    [mu, 0.5 * logvar.exp_m1()]
}

/// Whether a dimension whose nats over a batch of `rows` add up to `sum` has no more of them than are free, so that
/// `max(free_bits, sum / rows)` does not change with it (Kingma et al. 2016, equation 15).
pub fn is_free(sum: f64, rows: u32, free_bits: f32) -> bool {
    sum <= f64::from(free_bits) * f64::from(rows)
}

/// mu and logvar of each element of the codes with these `stats`, `[rows, 2 latent]`.
pub fn moments(stats: &[f64], latent: usize) -> Vec<[f64; 2]> {
    (0..stats.len() / 2).map(|e| mu_at(e, latent)).map(|mu| [stats[mu], stats[mu + latent]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_the_central_differences_of_the_values() {
        const H: f64 = 1e-5;
        let close = |what: &str, slope: f64, up: f64, down: f64| {
            let numeric = (up - down) / (2.0 * H);
            let error = (numeric - slope).abs() / (1.0 + slope.abs());
            assert!(error < 1e-9, "{what}: {slope}, numerically {numeric}");
        };
        for (mu, logvar) in [(0.0, 0.0), (1.3, -2.0), (-0.4, 0.7), (3.0, 1e-3)] {
            let [by_mu, by_logvar] = gaussian_kl_slopes(mu, logvar);
            close("kl by mu", by_mu, gaussian_kl(mu + H, logvar), gaussian_kl(mu - H, logvar));
            close("kl by logvar", by_logvar, gaussian_kl(mu, logvar + H), gaussian_kl(mu, logvar - H));
        }
    }

    #[test]
    fn free_bits_gate_the_gradient_of_what_they_bound() {
        const H: f64 = 1e-6;
        let (rows, free_bits) = (2, 0.25_f32);
        // Of a batch of two, whose other code has this many nats.
        let bounded = |mu: f64, other: f64| f64::from(free_bits).max((gaussian_kl(mu, 0.3) + other) / 2.0);
        for (mu, other) in [(0.1, 0.01), (0.1, 0.9), (1.2, 0.0), (0.3, 0.3)] {
            let numeric = (bounded(mu + H, other) - bounded(mu - H, other)) / (2.0 * H);
            let free = is_free(gaussian_kl(mu, 0.3) + other, rows, free_bits);
            let slope = if free { 0.0 } else { gaussian_kl_slopes(mu, 0.3)[0] / f64::from(rows) };
            assert!((numeric - slope).abs() < 1e-8, "{mu}, {other}: {slope}, numerically {numeric}");
        }
    }

    #[test]
    fn the_divergence_is_the_mean_log_ratio_of_the_densities() {
        let (mu, logvar) = (0.8, -0.6);
        let log_density = |z: f64, mu: f64, logvar: f64| {
            -0.5 * ((z - mu).powi(2) * (-logvar).exp() + logvar + std::f64::consts::TAU.ln())
        };
        let term = |i: i32| {
            let z = f64::from(i) * 1e-3;
            let q = log_density(z, mu, logvar);
            q.exp() * (q - log_density(z, 0.0, 0.0)) * 1e-3
        };
        let integral: f64 = (-9000..9000).map(term).sum();
        let kl = gaussian_kl(mu, logvar);
        assert!((integral - kl).abs() < 1e-9, "{kl}, by integration {integral}");
    }

    #[test]
    fn the_divergence_is_zero_at_the_prior_and_positive_elsewhere() {
        assert_eq!(gaussian_kl(0.0, 0.0), 0.0);
        for (mu, logvar) in [(1e-4, 0.0), (0.0, 1e-6), (0.0, -1e-6), (-2.0, 3.0)] {
            assert!(gaussian_kl(mu, logvar) > 0.0, "{mu}, {logvar}");
        }
    }
}
