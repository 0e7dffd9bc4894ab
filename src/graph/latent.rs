//! The Gaussian code of a variational autoencoder: its two halves, and the sample through which gradients pass.

use super::{Graph, Tensor};
use crate::kernels::latent::{LogRatio, Mean, Reparameterize, ReparameterizeBackward};
use crate::{Error, Result};

/// `mu` and `logvar` of a diagonal Gaussian, side by side in one tensor `[batch, 2 * latent]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianCode {
    pub(super) stats: Tensor,
}

impl Tensor {
    /// Sees `[batch, 2 * latent]` as `mu` (first half of each row) and `logvar` (second half).
    ///
    /// # Errors
    /// [`Error::Shape`] for an odd number of columns.
    pub fn gaussian(self) -> Result<GaussianCode> {
        if self.columns.is_multiple_of(2) && self.columns > 0 {
            return Ok(GaussianCode { stats: self });
        }
        Err(Error::shape("gaussian code", "an even number of columns", self.columns))
    }
}

impl GaussianCode {
    /// Dimensions of the latent space.
    pub const fn latent(self) -> u32 {
        self.stats.columns / 2
    }
}

impl Graph {
    /// `z = mu + exp(logvar / 2) * eps` with eps standard normal (Kingma and Welling 2013, section 2.4).
    ///
    /// eps is drawn from the step's counter and drawn again, not stored, on the way back.
    ///
    /// # Errors
    /// [`Error::Shape`] for a code of another graph.
    pub fn reparameterize(&mut self, code: GaussianCode) -> Result<Tensor> {
        self.know("reparameterize", code.stats)?;
        let (rows, latent) = (code.stats.rows, code.latent());
        let z = self.tensor("z", rows, latent, true);
        self.will_use(code.stats);
        let operands = [self.state(), self.value(code.stats), self.value(z)];
        self.record("z", Reparameterize { rows, latent, instance: 0 }, &operands)?;
        self.push_backward(move |graph| {
            let Some(dz) = graph.preactivation_gradient(z)? else { return Ok(()) };
            let (stats, state) = (graph.value(code.stats), graph.state());
            let (gradient, accumulate) = graph.gradient_target(code.stats);
            let kernel = ReparameterizeBackward { rows, latent, instance: 0, accumulate };
            graph.record("d mu, logvar", kernel, &[state, stats, dz, gradient])
        });
        Ok(z)
    }

    /// `log p(z) - log q(z|x)` of the samples that [`Graph::reparameterize`] draws of `code`, with the standard normal
    /// as prior p: nats, one number an image, kept in the buffer `name` `[total]` at the image's place among the
    /// `total` of an evaluation. Carries no gradient.
    ///
    /// # Errors
    /// [`Error::Shape`] for a code of another graph.
    pub fn collect_log_ratio(&mut self, name: &str, code: GaussianCode, total: u32) -> Result<()> {
        self.know(name, code.stats)?;
        let (rows, latent) = (code.stats.rows, code.latent());
        let values = self.buffer(format!("{name} of each image"), rows as usize, false);
        let operands = [self.state(), self.value(code.stats), values];
        self.record(name, LogRatio { rows, latent, instance: 0 }, &operands)?;
        self.collect(name, values, total)
    }

    /// `mu` alone: the code of an image without noise. Carries no gradient.
    ///
    /// # Errors
    /// [`Error::Shape`] for a code of another graph.
    pub fn code_mean(&mut self, code: GaussianCode) -> Result<Tensor> {
        self.know("code mean", code.stats)?;
        let (rows, latent) = (code.stats.rows, code.latent());
        let mu = self.tensor("mu", rows, latent, false);
        let operands = [self.value(code.stats), self.value(mu)];
        self.record("mu", Mean { rows, latent }, &operands)?;
        Ok(mu)
    }
}
