//! Set-ups that presets of several variants start from.

use super::ReductionKind;
use crate::reference::activation::Activation;
use crate::train::{Config, OptimizerKind};

/// One hidden layer of 100 selu units on either side of a code of 30; the mean over pixels by plain SGD at a rate of 1, 10
/// epochs in batches of 32.
pub(super) fn hidden_100(variant: &str) -> Config {
    let mut config = Config::new(variant);
    config.model.hidden = vec![100];
    config.model.latent = 30;
    config.model.activation = Activation::Selu;
    config.model.code_activation = Activation::Selu;
    config.model.reduction = ReductionKind::Pixel;
    config.train.optimizer = OptimizerKind::Sgd;
    config.train.learning_rate = 1.0;
    config.train.batch = 32;
    config.train.epochs = 10;
    config
}

/// One layer of 1,000 sigmoid units and its transpose (Rifai et al. 2011, section 5), for autoencoders that differ in
/// nothing but what their names say.
pub(super) fn tied_1000(variant: &str) -> Config {
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
