//! The linear autoencoder, which finds the subspace of PCA (Baldi and Hornik 1989; Murphy 20.3.1).

use super::{LikelihoodKind, Variant};
use crate::train::{Config, OptimizerKind, ScheduleKind};

/// One matrix in, one matrix out, on mean-centred images.
pub(super) struct Linear;

impl Variant for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn summary(&self) -> &'static str {
        "linear autoencoder without biases on mean-centred images: spans PCA's subspace"
    }

    fn preset(&self) -> Config {
        let mut config = Config::new(self.name());
        config.model.hidden = Vec::new();
        config.model.latent = 30;
        config.model.bias = false;
        config.model.center = true;
        config.model.likelihood = LikelihoodKind::SquaredError;
        config.train.optimizer = OptimizerKind::Adam;
        // Falling to zero it ends within a degree of PCA's subspace on the full Fashion-MNIST; 1e-3 throughout
        // leaves almost four.
        config.train.learning_rate = 3e-3;
        config.train.schedule = ScheduleKind::Linear;
        config.train.batch = 128;
        config.train.epochs = 20;
        config
    }
}
