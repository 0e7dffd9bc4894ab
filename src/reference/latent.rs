//! The Gaussian code's sample and divergence: the twin of `shaders/latent.wgsl`.

/// A sample of `N(mu, e^logvar)` made from a standard normal `eps`: `mu + e^(logvar/2) eps` (Kingma and
/// Welling 2013, section 2.4).
pub fn reparameterize(mu: f64, logvar: f64, eps: f64) -> f64 {
    mu + (0.5 * logvar).exp() * eps
}

/// The derivative of [`reparameterize`] by `logvar`. That by `mu` is 1.
pub fn reparameterize_logvar_slope(logvar: f64, eps: f64) -> f64 {
    0.5 * (0.5 * logvar).exp() * eps
}

/// Nats of `KL(N(mu, e^logvar) || N(0, 1))`: `(mu^2 + e^logvar - 1 - logvar) / 2` (Kingma and Welling 2013,
/// appendix B).
pub fn gaussian_kl(mu: f64, logvar: f64) -> f64 {
    0.5 * (mu * mu + (logvar.exp_m1() - logvar))
}

/// The derivatives of [`gaussian_kl`] by `mu` and by `logvar`.
pub fn gaussian_kl_slopes(mu: f64, logvar: f64) -> [f64; 2] {
    [mu, 0.5 * logvar.exp_m1()]
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let [by_mu, by_logvar] = gaussian_kl_slopes(mu, logvar);
            close("kl by mu", by_mu, gaussian_kl(mu + H, logvar), gaussian_kl(mu - H, logvar));
            close("kl by logvar", by_logvar, gaussian_kl(mu, logvar + H), gaussian_kl(mu, logvar - H));
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
