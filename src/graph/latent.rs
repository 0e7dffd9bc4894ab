//! The Gaussian code of a variational autoencoder: its two halves, and the sample through which gradients pass.

use super::tape::Links;
use super::{Graph, Tensor};
use crate::kernels::columns::{Block, CopyColumns};
use crate::kernels::latent::{Reparameterize, ReparameterizeBackward};
use crate::rng::Stream;
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
    /// eps is drawn from the step's counter and drawn again, not stored, on the way back. Two samples of one graph are
    /// independent.
    ///
    /// # Errors
    /// [`Error::Shape`] for a code of another graph.
    pub fn reparameterize(&mut self, code: GaussianCode) -> Result<Tensor> {
        self.know("reparameterize", code.stats)?;
        let (rows, latent) = (code.stats.rows, code.latent());
        let z = self.tensor("z", rows, latent);
        let instance = self.instance(Stream::Latent);
        self.tensors[code.stats.id].sample.get_or_insert(instance);
        let operands = [self.state(), self.value(code.stats), self.value(z)];
        let sample = Reparameterize { rows, latent, instance };
        self.record("z", sample, &operands)?;
        self.push_backward(Links::new(&[code.stats], z), move |graph| {
            let Some(dz) = graph.preactivation_gradient(z)? else { return Ok(()) };
            let (stats, state) = (graph.value(code.stats), graph.state());
            let (gradient, accumulate) = graph.gradient_target(code.stats);
            let kernel = ReparameterizeBackward { of: sample, accumulate };
            graph.record("d mu, logvar", kernel, &[state, stats, dz, gradient])
        });
        Ok(z)
    }

    /// `mu` alone: the code of an image without noise. Carries no gradient.
    ///
    /// # Errors
    /// [`Error::Shape`] for a code of another graph.
    pub fn code_mean(&mut self, code: GaussianCode) -> Result<Tensor> {
        self.know("code mean", code.stats)?;
        let (rows, latent) = (code.stats.rows, code.latent());
        let mu = self.tensor("mu", rows, latent);
        let operands = [self.value(code.stats), self.value(mu)];
        let [source, destination] = [code.stats.columns, latent].map(|width| Block { width, first: 0 });
        let kernel = CopyColumns { rows, columns: latent, source, destination, accumulate: false };
        self.record("mu", kernel, &operands)?;
        Ok(mu)
    }
}
