//! The denoising autoencoder (Vincent et al. 2008, 2010; Murphy, Probabilistic Machine Learning, 20.3.2).

use super::setups::{hidden_100, tied_1000};
use super::{CorruptionKind, InitScheme, LikelihoodKind, Preset, Variant};
use crate::data::Source;
use crate::reference::activation::Activation;
use crate::train::{Config, OptimizerKind, ScheduleKind};

/// Explains clean images from corrupted ones. That is the plain objective; the corruption makes the variant.
///
/// With Gaussian noise of deviation s and the squared error, `r(x) - x` of what it learns is s² times the
/// score of the data smoothed by that noise (Vincent 2011, section 4; Alain and Bengio 2014, theorem 2).
pub(super) struct Denoising;

impl Variant for Denoising {
    fn name(&self) -> &'static str {
        "denoising"
    }

    fn summary(&self) -> &'static str {
        "autoencoder that explains clean images from noisy ones"
    }

    fn preset(&self) -> Config {
        let mut config = hidden_100(self.name());
        config.model.corruption = CorruptionKind::Gaussian;
        config.model.corruption_amount = 0.2;
        config
    }

    fn presets(&self) -> Vec<Preset> {
        let mut dropout = self.preset();
        dropout.model.corruption = CorruptionKind::Dropout;
        dropout.model.corruption_amount = 0.5;
        dropout.model.corruption_rescale = true;
        let mut tied = tied_1000(self.name());
        tied.model.corruption = CorruptionKind::Gaussian;
        vec![
            Preset::new(self.name(), self.summary(), self.preset()),
            Preset::new("denoising-dropout", "the same, from images with half of their pixels lost", dropout),
            Preset::new(
                "tied-denoising",
                "the same with one layer of 1,000 sigmoid units and its transpose",
                tied,
            ),
            Preset::new("score", "the same on points of the plane: r(x) - x points up the density", score()),
        ]
    }
}

// Wide enough to come close to the best denoiser; nothing has to be kept out of so wide a code, because
// noise that is copied is an error.
fn score() -> Config {
    let mut config = Config::new("denoising");
    config.model.hidden = vec![64, 64];
    config.model.latent = 64;
    config.model.activation = Activation::Relu;
    config.model.code_activation = Activation::Relu;
    config.model.init = InitScheme::HeUniform;
    config.model.likelihood = LikelihoodKind::SquaredError;
    config.model.center = true;
    config.model.corruption = CorruptionKind::Gaussian;
    config.model.corruption_amount = 0.1;
    config.train.optimizer = OptimizerKind::Adam;
    config.train.learning_rate = 2e-3;
    config.train.schedule = ScheduleKind::Cosine;
    config.train.batch = 512;
    config.train.epochs = 40;
    config.data.source = Source::Mixture;
    config
}
