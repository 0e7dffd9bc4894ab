//! The contractive autoencoder (Rifai et al. 2011; Murphy, Probabilistic Machine Learning, 20.3.3).

use super::{ModelConfig, Network, Penalty, Preset, ReductionKind, Variant};
use crate::Result;
use crate::graph::{Batch, Graph, Objective};
use crate::reference::activation::Activation;
use crate::train::{Config, OptimizerKind};

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
        let mut config = tied(self.name());
        config.model.contraction_weight = 1.0;
        config
    }

    fn presets(&self) -> Vec<Preset> {
        let mut deep = Config::new(self.name());
        deep.model.hidden = vec![100];
        deep.model.latent = 30;
        deep.model.activation = Activation::Selu;
        deep.model.code_activation = Activation::Selu;
        deep.model.reduction = ReductionKind::Pixel;
        deep.model.contraction_weight = 1e-4;
        deep.train.optimizer = OptimizerKind::Sgd;
        deep.train.learning_rate = 1.0;
        deep.train.batch = 32;
        deep.train.epochs = 10;
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

/// Rifai et al. 2011, section 5: one layer of 1,000 sigmoid units and its transpose, for autoencoders of several
/// variants that differ in nothing else.
pub(super) fn tied(variant: &str) -> Config {
    let mut config = Config::new(variant);
    config.model.latent = 1000;
    config.model.code_activation = Activation::Sigmoid;
    config.model.tied = true;
    config.train.optimizer = OptimizerKind::Adam;
    config.train.learning_rate = 1e-3;
    config.train.batch = 128;
    config.train.epochs = 10;
    config
}
