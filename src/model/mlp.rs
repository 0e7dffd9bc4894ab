//! The bottleneck autoencoder of dense layers (Murphy, Probabilistic Machine Learning, 20.3.1).

use super::contractive::tied;
use super::{Preset, ReductionKind, Variant};
use crate::reference::activation::Activation;
use crate::train::{Config, OptimizerKind};

/// Encoder and decoder of any depth around a narrow code.
pub(super) struct Mlp;

impl Variant for Mlp {
    fn name(&self) -> &'static str {
        "mlp"
    }

    fn summary(&self) -> &'static str {
        "bottleneck autoencoder of dense layers"
    }

    fn preset(&self) -> Config {
        let mut config = Config::new(self.name());
        config.model.hidden = vec![100];
        config.model.latent = 30;
        config.model.activation = Activation::Selu;
        config.model.code_activation = Activation::Selu;
        config.model.reduction = ReductionKind::Pixel;
        config.train.optimizer = OptimizerKind::Sgd;
        config.train.learning_rate = 1.5;
        config.train.batch = 32;
        config.train.epochs = 5;
        config
    }

    fn presets(&self) -> Vec<Preset> {
        let mut decay = tied(self.name());
        decay.train.optimizer = OptimizerKind::AdamW;
        decay.train.weight_decay = 0.1;
        vec![
            Preset::new(self.name(), self.summary(), self.preset()),
            Preset::new("tied", "one layer of 1,000 sigmoid units and its transpose", tied(self.name())),
            Preset::new("tied-decay", "the same with weight decay", decay),
        ]
    }
}
