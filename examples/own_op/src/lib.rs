//! A variant with an operation of its own, in a crate of its own: the vector-quantised autoencoder (van den Oord, Vinyals
//! and Kavukcuoglu 2017, "Neural Discrete Representation Learning").
//!
//! Each piece of a code becomes the nearest vector of a codebook ([`Quantize`], with shaders and their twins in
//! [`kernels`]). The decoder's gradient passes to the encoder as if nothing had happened in between; a second term
//! draws the code to its vectors: `|z - sg(e)|²`. The codebook has no gradient: moving averages of
//! the pieces that chose each vector move it (appendix A.1).

pub mod kernels;
mod quantize;

use narrows::graph::{Batch, Graph, Tensor};
use narrows::model::{
    Autoencoder, Declare, ModelConfig, Network, Preset, Settings, Step, Variant, check_count, check_fraction,
    check_weight,
};
use narrows::{Error, Result};

pub use quantize::{Codebook, Quantize};

/// The variant: `vq-vae`.
pub struct VectorQuantised;

narrows::settings! {
    /// Its settings, in files and as flags.
    pub struct VectorQuantisedSettings {
        /// Vectors of the codebook
        entries: u32 = 64, "K";
        /// How many vectors make up a code, whose width is a multiple of it
        pieces: u32 = 1, "N";
        /// What a step keeps of the moving averages that the codebook is made of
        codebook_decay: f32 = 0.99, "D";
        /// Weight of the squared distance of a code from what it becomes
        commitment_weight: f32 = 0.25, "BETA";
    }
}

impl Settings for VectorQuantisedSettings {
    fn check(&self, model: &ModelConfig) -> Result<()> {
        check_weight("commitment_weight", self.commitment_weight)?;
        check_count("entries", self.entries)?;
        check_count("pieces", self.pieces)?;
        check_fraction("codebook_decay", self.codebook_decay)?;
        // Of no width is a code that the encoder's last layer gives in its own: see `declare`.
        self.width(model.latent).map(drop)
    }
}

impl VectorQuantisedSettings {
    // Numbers of a vector.
    fn width(&self, latent: u32) -> Result<u32> {
        match latent.checked_div(self.pieces) {
            Some(width) if latent.is_multiple_of(self.pieces) => Ok(width),
            _ => Err(Error::setting("pieces", format!("what divides a code of {latent}"), self.pieces)),
        }
    }
}

const PRESET: &str = "
[model]
hidden = [400]
latent = 32
pieces = 8
[train]
learning_rate = 1e-3
epochs = 10
";

impl Variant for VectorQuantised {
    const NAME: &'static str = "vq-vae";
    const SUMMARY: &'static str = "autoencoder whose codes are made of vectors of a codebook";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[PRESET])];
    type Settings = VectorQuantisedSettings;
    type Model = VectorQuantisedModel;

    fn declare(
        &self,
        settings: VectorQuantisedSettings,
        declare: &mut Declare<'_>,
    ) -> Result<VectorQuantisedModel> {
        let network = declare.network(1)?;
        let width = settings.width(network.latent)?;
        let codebook = Codebook::declare(declare.graph(), "codebook", settings.entries, width)?;
        Ok(VectorQuantisedModel { network, codebook, settings })
    }
}

/// Its network, codebook and settings.
pub struct VectorQuantisedModel {
    network: Network,
    codebook: Codebook,
    settings: VectorQuantisedSettings,
}

impl VectorQuantisedModel {
    fn quantised(&self, graph: &mut Graph, code: Tensor) -> Result<Tensor> {
        let quantize = Quantize { codebook: self.codebook.clone(), decay: self.settings.codebook_decay };
        let made = graph.op(quantize, &[code])?;
        made.first().copied().ok_or_else(|| Error::shape("quantize", "quantised codes", "nothing"))
    }
}

impl Autoencoder for VectorQuantisedModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let code = self.network.encoder.record(step, batch.seen)?;
        let quantised = self.quantised(step, code)?;
        let passed = step.straight_through(quantised, code)?;
        let output = self.network.decoder.record(step, passed)?;
        let distance = squared_distance(step, code, quantised)?;
        let commitment = distance.term("commitment").counted_in("squared distance", "the code");
        let weighted = commitment.weighted(self.settings.commitment_weight, "commitment_weight");
        step.minimize(self.network.nll(output, batch.clean) + weighted)
    }

    /// What the decoder is given: codes of vectors of the codebook.
    fn code(&self, graph: &mut Graph, x: Tensor, _: Option<Tensor>) -> Result<Tensor> {
        let code = self.network.encoder.record(graph, x)?;
        self.quantised(graph, code)
    }
}

/// `|x - sg(y)|²` of each row of x and y `[batch, latent]`, as a tensor `[batch, 1]`: its gradient is that of x alone.
fn squared_distance(graph: &mut Graph, x: Tensor, y: Tensor) -> Result<Tensor> {
    let fixed = graph.detach(y)?;
    let apart = graph.subtract(x, fixed)?;
    let squares = graph.multiply(apart, apart)?;
    graph.row_sum(squares)
}
