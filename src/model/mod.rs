//! The autoencoders: what is configured, the networks, the likelihoods, and each variant as a short spec.

mod blueprint;
mod cnn;
mod config;
mod contractive;
mod denoising;
mod extent;
mod kinds;
mod layer;
mod likelihood;
mod linear;
mod mlp;
mod network;
mod penalty;
mod plans;
mod presets;
mod setups;
mod sparse;
mod tangent;
mod vae;

pub use config::ModelConfig;
pub use extent::{Extent, PaddingConfig};
pub use kinds::{ContractionKind, CorruptionKind, InitScheme, LikelihoodKind, ReductionKind, SparsityKind};
pub use layer::LayerConfig;
pub use likelihood::Likelihood;
pub use network::{Network, Stack};
pub use penalty::Penalty;
pub use plans::Model;
pub use presets::{Preset, preset, presets};

use crate::graph::{Batch, GaussianCode, Graph, Objective, Tensor};
use crate::train::Config;
use crate::{Error, Result};

/// One kind of autoencoder: a screenful that reads like its formula. Plain ones, `nll(decode(encode(seen)), clean)`,
/// are what the methods here already say; others say their own.
pub trait Variant: Sync {
    /// The name in options and files.
    fn name(&self) -> &'static str;

    /// One line for help texts.
    fn summary(&self) -> &'static str;

    /// The set-up it starts from when the user names nothing else.
    fn preset(&self) -> Config;

    /// Its set-ups with names of their own; the first is [`Variant::preset`] under the variant's name.
    fn presets(&self) -> Vec<Preset> {
        vec![Preset::new(self.name(), self.summary(), self.preset())]
    }

    /// What the encoder's last layer gives for a code of `latent` numbers.
    fn encoder_outputs(&self, latent: u32) -> u32 {
        latent
    }

    /// The code of images x without noise, `[batch, latent]`: E[z given x].
    ///
    /// # Errors
    /// [`Error::Shape`] where the network does not fit the images.
    fn code(&self, network: &Network, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
        network.encoder.record(graph, x)
    }

    /// The distribution q(z given x) of images x; None where codes are points.
    ///
    /// # Errors
    /// As [`Variant::code`].
    fn posterior(&self, network: &Network, graph: &mut Graph, x: Tensor) -> Result<Option<GaussianCode>> {
        let _ = (network, graph, x);
        Ok(None)
    }

    /// What training minimizes: `seen` is encoded, `clean` is explained.
    ///
    /// # Errors
    /// As [`Variant::code`].
    fn objective(&self, network: &Network, graph: &mut Graph, batch: Batch) -> Result<Objective> {
        let code = self.code(network, graph, batch.seen)?;
        let y = network.decoder.record(graph, code)?;
        Ok(network.likelihood.nll(y, batch.clean))
    }

    /// What [`Variant::objective`] adds to the reconstruction, and what its weight multiplies; None where that
    /// is nothing.
    fn penalty(&self, config: &ModelConfig) -> Option<Penalty> {
        let _ = config;
        None
    }

    /// Whether codes drawn from a standard normal are what its decoder was trained on.
    fn has_prior(&self) -> bool {
        false
    }
}

/// Every variant. Tests, help texts and the command line walk this list.
pub const ALL: [&dyn Variant; 7] = [
    &linear::Linear,
    &mlp::Mlp,
    &cnn::Cnn,
    &denoising::Denoising,
    &contractive::Contractive,
    &sparse::Sparse,
    &vae::Vae,
];

/// The variant called `name`.
///
/// # Errors
/// [`Error::Setting`] that lists the names there are.
pub fn variant(name: &str) -> Result<&'static dyn Variant> {
    ALL.into_iter().find(|variant| variant.name() == name).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|variant| variant.name()).collect();
        Error::setting("variant", format!("one of {}", names.join(", ")), name)
    })
}
