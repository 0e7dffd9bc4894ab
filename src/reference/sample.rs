//! The sample of a Gaussian code, with the divergence: the twin of `shaders/sample.wgsl`, composed of its parts.

use super::divergence::{gaussian_kl, gaussian_kl_slopes};
use super::latent::{reparameterize, reparameterize_logvar_slope};

/// What is made of one number of a code.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    /// The sample.
    pub z: f64,
    /// Its derivative by logvar.
    pub spread: f64,
    /// Nats of the divergence.
    pub kl: f64,
    /// Their derivatives by mu and logvar.
    pub slopes: [f64; 2],
}

/// All that `shaders/sample.wgsl` makes of a number with this `mu` and `logvar`, with noise `eps`.
pub fn sampled([mu, logvar, eps]: [f64; 3]) -> Sampled {
    Sampled {
        z: reparameterize(mu, logvar, eps),
        spread: reparameterize_logvar_slope(logvar, eps),
        kl: gaussian_kl(mu, logvar),
        slopes: gaussian_kl_slopes(mu, logvar),
    }
}
