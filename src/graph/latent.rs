//! The Gaussian code of a variational autoencoder: its two halves, and the sample through which gradients pass.

use std::sync::Arc;

use super::record::check;
use super::{Graph, Slice, Tensor};
use crate::kernels::columns::{Block, CopyColumns};
use crate::kernels::latent::{Reparameterize, ReparameterizeBackward};
use crate::kernels::sample::Sample;
use crate::rng::Stream;
use crate::{Error, Result};

/// `mu` and `logvar` of a diagonal Gaussian, side by side in one tensor `[batch, 2 * latent]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaussianCode {
    pub(super) stats: Tensor,
}

/// How a sample was drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drawn {
    // The place of its dispatch.
    at: usize,
    of: Reparameterize,
    stats: Tensor,
    // Its slopes by logvar, once they are kept.
    spread: Option<Slice>,
}

/// Where a product sends the gradient of a code, through its sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct CodeTarget {
    /// mu and logvar, and the sample's slopes by logvar.
    pub(super) reads: [Slice; 2],
    pub(super) gradient: Slice,
    pub(super) accumulate: bool,
}

/// What the dispatch that makes a code's gradient of its sample's is called.
pub(super) const D_CODE: &str = "d mu, logvar";

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
    /// The way back draws eps again, or has what the forward pass kept of it for a layer that alone reads the sample. Two
    /// samples of one graph are independent.
    pub fn reparameterize(&mut self, code: GaussianCode) -> Result<Tensor> {
        let (stats, latent) = (code.stats, code.latent());
        self.know("reparameterize", stats)?;
        let instance = self.instance(Stream::Latent);
        let (rows, reads) = (stats.rows, [self.state(), self.value(stats)]);
        let of = self.sample_of(rows, latent, instance);
        let at = self.dispatches.len();
        let z = self.make("z", &reads, [rows, latent], of)?;
        self.tensors[stats.id].first_sample.get_or_insert((z, instance));
        self.tensors[z.id].drawn = Some(Drawn { at, of, stats, spread: None });
        self.send_back([stats], z, move |graph, dz| {
            let (gradient, accumulate) = graph.gradient_target(stats);
            let kernel = ReparameterizeBackward { of, accumulate };
            graph.record(D_CODE, kernel, &[graph.state(), graph.value(stats), dz, gradient])
        });
        Ok(z)
    }

    /// Records the divergence of a code from its prior, weighted, beside its first sample: its values `[rows]`. None where
    /// that cannot be: without a sample, with one that has more beside it already, or with a gradient that is there.
    pub(super) fn kl_beside_sample(
        &mut self,
        name: &str,
        code: GaussianCode,
        scale: f32,
    ) -> Result<Option<Slice>> {
        let state = &self.tensors[code.stats.id];
        let Some((z, _)) = state.first_sample.filter(|_| state.gradient.is_none()) else { return Ok(None) };
        let Some(Drawn { at, of, stats, spread: None }) = self.tensors[z.id].drawn else { return Ok(None) };
        if of.latent > Sample::MAX_LATENT {
            return Ok(None);
        }
        let values = self.buffer(format!("{name} of each row"), of.rows as usize);
        let (gradient, _) = self.gradient_target(stats);
        let label = format!("z; {name}, value and gradient");
        self.draw_with_more(z, at, label, Sample { of, kl: Some(scale) }, &[values, gradient])?;
        Ok(Some(values))
    }

    /// As [`Graph::fused_target`], where `z` is a sample: what a product that makes its gradient reads, and where the gradient
    /// of the code goes. None where other operations send `z` a gradient too.
    pub(super) fn code_target(&mut self, z: Tensor) -> Result<Option<CodeTarget>> {
        let alone = self.uses(z) == 1 && self.tensors[z.id].gradient.is_none();
        let Some(Drawn { at, of, stats, spread }) = self.tensors[z.id].drawn.filter(|_| alone) else {
            return Ok(None);
        };
        let spread = match spread {
            Some(spread) => spread,
            None if of.latent > Sample::MAX_LATENT => return Ok(None),
            None => self.draw_with_more(z, at, "z".to_owned(), Sample { of, kl: None }, &[])?,
        };
        let (gradient, accumulate) = self.gradient_target(stats);
        Ok(Some(CodeTarget { reads: [self.value(stats), spread], gradient, accumulate }))
    }

    // Has the dispatch that drew `z` make more: its slopes, which are returned, and what goes to `writes`. Only the way back
    // tells what a step wants of a sample.
    fn draw_with_more(
        &mut self,
        z: Tensor,
        at: usize,
        label: String,
        kernel: Sample,
        writes: &[Slice],
    ) -> Result<Slice> {
        check(&label, &kernel)?;
        let spread = self.buffer("slopes of z by logvar", z.count() as usize);
        let dispatch = &mut self.dispatches[at];
        dispatch.operands.push(spread);
        dispatch.operands.extend(writes);
        (dispatch.label, dispatch.kernel) = (label, Arc::new(kernel));
        if let Some(drawn) = &mut self.tensors[z.id].drawn {
            drawn.spread = Some(spread);
        }
        Ok(spread)
    }

    // Sample number `instance` of codes.
    pub(super) fn sample_of(&self, rows: u32, latent: u32, instance: u32) -> Reparameterize {
        // Numbers of the codes of one image, where every image draws the same.
        let period = if self.draws_alike { rows / self.batch.max(1) * latent } else { 0 };
        Reparameterize { rows, latent, instance, period, first_block: self.first_block(rows, latent) }
    }

    /// `mu` alone: the code of an image without noise. It carries no gradient.
    pub fn code_mean(&mut self, code: GaussianCode) -> Result<Tensor> {
        let (rows, latent) = (code.stats.rows, code.latent());
        let [source, destination] = [code.stats.columns, latent].map(|width| Block { width, first: 0 });
        let kernel = CopyColumns { rows, columns: latent, source, destination, accumulate: false };
        self.apply("mu", &[code.stats], [rows, latent], kernel)
    }
}
