//! A variant in a crate of its own: an autoencoder whose codes lie near a sphere.
//!
//! Beside the reconstruction it minimizes `(z·z / latent - 1)²`, how far the mean square of a code's numbers is from 1:
//! where almost all of a standard normal lies in many dimensions. The term is made of operations that the graph has, so
//! that its gradient comes from the tape, and no shader is needed.

use narrows::Result;
use narrows::graph::{Batch, Graph, Tensor};
use narrows::model::{
    Autoencoder, Declare, ModelConfig, Network, Preset, Settings, Step, Variant, check_weight,
};

/// The variant: `spherical`.
pub struct Spherical;

narrows::settings! {
    /// Its settings, in files and as flags.
    pub struct SphericalSettings {
        /// Weight of the squared distance of a code's mean square from 1
        radius_weight: f32 = 0.01, "W";
    }
}

impl Settings for SphericalSettings {
    fn check(&self, _: &ModelConfig) -> Result<()> {
        check_weight("radius_weight", self.radius_weight)
    }
}

const PRESET: &str = "
[model]
hidden = [128]
latent = 10
reduction = 'pixel'
[train]
learning_rate = 1e-3
epochs = 5
";

impl Variant for Spherical {
    const NAME: &'static str = "spherical";
    const SUMMARY: &'static str = "autoencoder whose codes lie near a sphere";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[PRESET])];
    type Settings = SphericalSettings;
    type Model = SphericalModel;

    fn declare(&self, settings: SphericalSettings, declare: &mut Declare<'_>) -> Result<SphericalModel> {
        Ok(SphericalModel { network: declare.network(1)?, settings })
    }
}

/// Its network and settings.
pub struct SphericalModel {
    network: Network,
    settings: SphericalSettings,
}

impl Autoencoder for SphericalModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let code = self.network.encoder.record(step, batch.seen)?;
        let output = self.network.decoder.record(step, code)?;
        let distance =
            distance_from_sphere(step, code)?.term("radius").counted_in("squared distance", "the code");
        let radius = distance.weighted(self.settings.radius_weight, "radius_weight");
        step.minimize(self.network.nll(output, batch.clean) + radius)
    }
}

/// `(z·z / latent - 1)²` of each row of `code` `[batch, latent]`, as a tensor `[batch]`.
fn distance_from_sphere(graph: &mut Graph, code: Tensor) -> Result<Tensor> {
    let squares = graph.multiply(code, code)?;
    let mean_square = graph.row_mean(squares)?;
    let apart = graph.affine(mean_square, 1.0, -1.0)?;
    graph.multiply(apart, apart)
}
