//! The Gaussian code of a variational autoencoder: its two halves, and the sample through which gradients pass.

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
    /// `z = mu + exp(logvar / 2) * eps` with eps standard normal (Kingma and Welling 2013, section 2.4). A log variance
    /// counts as the nearest in [`LOGVAR`](crate::reference::latent::LOGVAR), here and in the divergence.
    ///
    /// The way back draws eps again. Two samples of one graph are independent.
    pub fn reparameterize(&mut self, code: GaussianCode) -> Result<Tensor> {
        let (stats, latent) = (code.stats, code.latent());
        self.know("reparameterize", stats)?;
        let instance = self.instance(Stream::Latent);
        self.tensors[stats.id].sample.get_or_insert(instance);
        let (rows, reads) = (stats.rows, [self.state(), self.value(stats)]);
        let sample = Reparameterize { rows, latent, instance, period: self.period(rows, latent) };
        let z = self.make("z", &reads, [rows, latent], sample)?;
        self.send_back([stats], z, move |graph, dz| {
            let (gradient, accumulate) = graph.gradient_target(stats);
            let kernel = ReparameterizeBackward { of: sample, accumulate };
            graph.record("d mu, logvar", kernel, &[graph.state(), graph.value(stats), dz, gradient])
        });
        Ok(z)
    }

    // Numbers of the codes of one image, where every image draws the same.
    pub(super) fn period(&self, rows: u32, latent: u32) -> u32 {
        if self.draws_alike { rows / self.batch.max(1) * latent } else { 0 }
    }

    /// `mu` alone: the code of an image without noise. It carries no gradient.
    pub fn code_mean(&mut self, code: GaussianCode) -> Result<Tensor> {
        let (rows, latent) = (code.stats.rows, code.latent());
        let [source, destination] = [code.stats.columns, latent].map(|width| Block { width, first: 0 });
        let kernel = CopyColumns { rows, columns: latent, source, destination, accumulate: false };
        self.apply("mu", &[code.stats], [rows, latent], kernel)
    }
}
