//! The bottleneck autoencoder of dense layers (Murphy, Probabilistic Machine Learning, 20.3.1).

use super::setups::{hidden_100, tied_1000};
use super::{Preset, Variant};
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
        let mut config = hidden_100(self.name());
        config.train.learning_rate = 1.5;
        config.train.epochs = 5;
        config
    }

    fn presets(&self) -> Vec<Preset> {
        let mut decay = tied_1000(self.name());
        decay.train.optimizer = OptimizerKind::AdamW;
        decay.train.weight_decay = 0.1;
        vec![
            Preset::new(self.name(), self.summary(), self.preset()),
            Preset::new("tied", "one layer of 1,000 sigmoid units and its transpose", tied_1000(self.name())),
            Preset::new("tied-decay", "the same with weight decay", decay),
        ]
    }
}
