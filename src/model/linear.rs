//! The linear autoencoder, which finds the subspace of PCA (Baldi and Hornik 1989; Murphy 20.3.1).

use super::{LikelihoodKind, Variant};
use crate::train::{Config, OptimizerKind};

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
        config.train.learning_rate = 1e-3;
        config.train.batch = 128;
        config.train.epochs = 20;
        config
    }
}
