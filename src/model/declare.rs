//! What a variant declares its networks with: layers for images of one size, in one graph.

use super::blueprint::{Blueprint, planned};
use super::network::{Stack, Tying};
use super::{LayerConfig, Likelihood, ModelConfig, Network};
use crate::graph::{Graph, Shape};
use crate::{Error, Result};

// 8 GiB of them: what 32-bit offsets reach with room to spare, and no device holds more in one buffer.
const MOST_WEIGHTS: u64 = 1 << 31;

/// A graph in which a variant declares what it learns, and what its settings mean for images of one size.
pub struct Declare<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) config: &'a ModelConfig,
    pub(super) image: Shape,
}

impl Declare<'_> {
    /// The model's settings.
    pub fn config(&self) -> &ModelConfig {
        self.config
    }

    /// Height, width and channels of an image.
    pub fn image(&self) -> Shape {
        self.image
    }

    /// The graph, for parameters and slots that no layer has.
    pub fn graph(&mut self) -> &mut Graph {
        self.graph
    }

    /// Encoder, decoder and likelihood as the settings say, in the group [`MODEL`](crate::graph::MODEL): the encoder's
    /// last layer gives `outputs` numbers for each of the code's.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the layer that does not fit, or where code or image come out wrong.
    pub fn network(&mut self, outputs: u32) -> Result<Network> {
        self.network_in([crate::graph::MODEL; 2], outputs)
    }

    /// As [`Declare::network`], with encoder and decoder in these groups.
    ///
    /// # Errors
    /// As [`Declare::network`].
    pub fn network_in(&mut self, [encoder_group, decoder_group]: [&str; 2], outputs: u32) -> Result<Network> {
        let Self { config, image, .. } = *self;
        let blueprint = Blueprint::new(config, outputs, image)?;
        let weights = blueprint.weights();
        if weights > MOST_WEIGHTS {
            let expected = format!("layers of at most {MOST_WEIGHTS} weights together");
            return Err(Error::setting("hidden, latent, encoder, decoder", expected, weights));
        }
        let encoder = Stack::declare(self.graph, encoder_group, "encoder", &blueprint.encoder, config)?;
        let decoder = if config.tied {
            let tying = Tying { group: decoder_group, name: "decoder", of: &encoder };
            Stack::declare_tied(self.graph, tying, &blueprint.decoder, config)?
        } else {
            Stack::declare(self.graph, decoder_group, "decoder", &blueprint.decoder, config)?
        };
        let likelihood = Likelihood::declare(config, self.graph, decoder_group)?;
        let latent = blueprint.latent();
        Ok(Network { encoder, decoder, likelihood, latent, reduction: config.reduction })
    }

    /// Layers in a row on what has this shape, in a group of parameters: `NAME.0.weight`, `NAME.0.bias`, ...
    ///
    /// # Errors
    /// [`Error::Setting`] naming the layer that does not fit.
    pub fn stack(&mut self, group: &str, name: &str, layers: &[LayerConfig], input: Shape) -> Result<Stack> {
        let layers = planned(name, layers, input)?;
        Stack::declare(self.graph, group, name, &layers, self.config)
    }
}
