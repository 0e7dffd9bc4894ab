//! The variational autoencoder (Kingma and Welling 2013; Murphy, Probabilistic Machine Learning, 20.3.5).

use super::{Extent, LayerConfig, ModelConfig, Network, PaddingConfig, Penalty, Preset, Variant};
use crate::Result;
use crate::graph::{Batch, GaussianCode, Graph, Objective, Tensor, free_bits_kl};
use crate::reference::activation::Activation;
use crate::train::{Config, OptimizerKind};

/// A Gaussian code, its KL to the standard normal, and a decoder that learned to read samples of it.
pub(super) struct Vae;

impl Variant for Vae {
    fn name(&self) -> &'static str {
        "vae"
    }

    fn summary(&self) -> &'static str {
        "variational autoencoder: Gaussian code, trained on the ELBO, can be sampled"
    }

    fn preset(&self) -> Config {
        let mut config = Config::new(self.name());
        config.model.hidden = vec![400];
        config.model.latent = 20;
        config.model.activation = Activation::Relu;
        config.train.optimizer = OptimizerKind::Adam;
        config.train.learning_rate = 1e-3;
        config.train.batch = 128;
        config.train.epochs = 20;
        config
    }

    fn presets(&self) -> Vec<Preset> {
        let mut plane = self.preset();
        plane.model.latent = 2;
        vec![
            Preset::new(self.name(), self.summary(), self.preset()),
            Preset::new("vae-2d", "the same with a code of two numbers, for maps of what it learned", plane),
            Preset::new(
                "vae-cnn",
                "the same of convolutions, for images of 28 x 28",
                convolutional(self.preset()),
            ),
        ]
    }

    fn encoder_outputs(&self, latent: u32) -> u32 {
        latent.saturating_mul(2)
    }

    fn posterior(&self, network: &Network, graph: &mut Graph, x: Tensor) -> Result<Option<GaussianCode>> {
        Ok(Some(network.encoder.record(graph, x)?.gaussian()?))
    }

    fn code(&self, network: &Network, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
        let code = network.encoder.record(graph, x)?.gaussian()?;
        graph.code_mean(code)
    }

    fn objective(&self, network: &Network, graph: &mut Graph, batch: Batch) -> Result<Objective> {
        let ModelConfig { kl_weight, free_bits, .. } = network.config;
        let code = network.encoder.record(graph, batch.seen)?.gaussian()?;
        let z = graph.reparameterize(code)?;
        let logits = network.decoder.record(graph, z)?;
        Ok(network.likelihood.nll(logits, batch.clean) + kl_weight * free_bits_kl(code, free_bits))
    }

    fn penalty(&self, config: &ModelConfig) -> Option<Penalty> {
        Some(Penalty {
            name: "kl",
            weight: config.kl_weight,
            meaning: "kl_weight multiplies the KL to the prior in nats, summed over the code, averaged over \
                      the images of a batch",
        })
    }

    fn has_prior(&self) -> bool {
        true
    }
}

// 28 -> 14 -> 7 by strides, and back by transposed convolutions.
fn convolutional(mut config: Config) -> Config {
    let (kernel, stride, padding) = (Extent::square(3), Extent::square(2), PaddingConfig::Same);
    let halved = |filters| LayerConfig::Conv { filters, kernel, stride, padding, activation: None };
    let doubled = |filters| LayerConfig::ConvTranspose {
        filters,
        kernel,
        stride,
        padding,
        output_padding: Extent::zero(),
        activation: None,
    };
    config.model.hidden = Vec::new();
    config.model.encoder = vec![halved(32), halved(64)];
    config.model.decoder = vec![
        LayerConfig::dense(7 * 7 * 64, config.model.activation),
        LayerConfig::Reshape { shape: [7, 7, 64] },
        doubled(32),
        doubled(1),
    ];
    config
}
