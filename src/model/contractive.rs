//! The contractive autoencoder (Rifai et al. 2011; Murphy, Probabilistic Machine Learning, 20.3.3).

use super::setups::{hidden_100, tied_1000};
use super::{ModelConfig, Network, Penalty, Preset, Variant};
use crate::Result;
use crate::graph::{Batch, Graph, Objective};
use crate::train::Config;

/// A code that answers to its image as little as explaining the image allows.
pub(super) struct Contractive;

impl Variant for Contractive {
    fn name(&self) -> &'static str {
        "contractive"
    }

    fn summary(&self) -> &'static str {
        "autoencoder whose code answers little to its image: the encoder's Jacobian is penalized"
    }

    fn preset(&self) -> Config {
        let mut config = tied_1000(self.name());
        config.model.contraction_weight = 1.0;
        config
    }

    fn presets(&self) -> Vec<Preset> {
        let mut deep = hidden_100(self.name());
        deep.model.contraction_weight = 1e-4;
        vec![
            Preset::new(self.name(), self.summary(), self.preset()),
            Preset::new(
                "contractive-deep",
                "the same with a hidden layer on either side of a narrow code",
                deep,
            ),
        ]
    }

    fn objective(&self, network: &Network, graph: &mut Graph, batch: Batch) -> Result<Objective> {
        let outputs = network.encoder.record_each(graph, batch.seen)?;
        let code = outputs.last().copied().unwrap_or(batch.seen);
        let y = network.decoder.record(graph, code)?;
        let contraction = network.contraction(graph, batch.seen, &outputs, network.config.contraction)?;
        Ok(network.likelihood.nll(y, batch.clean) + network.config.contraction_weight * contraction)
    }

    fn penalty(&self, config: &ModelConfig) -> Option<Penalty> {
        Some(Penalty {
            name: "contraction",
            weight: config.contraction_weight,
            meaning: "contraction_weight multiplies the squared Frobenius norm of the encoder's Jacobian, summed \
                      over code and pixels, averaged over the images of a batch",
        })
    }
}
