//! The denoising autoencoder (Vincent et al. 2008, 2010; Murphy, Probabilistic Machine Learning, 20.3.2).

use crate::model::set_ups::{HIDDEN_100, TIED_1000};
use crate::model::{CorruptionKind, Declare, ModelConfig, Network, NoSettings, Preset, Variant};
use crate::{Error, Result};

/// Reconstructs clean images from corrupted ones, by the plain objective: only the corruption makes the variant.
///
/// With Gaussian noise of deviation s and the squared error, what it learns has `r(x) - x` equal to s² times the score of
/// the data smoothed by that noise (Vincent 2011, section 4; Alain and Bengio 2014, theorem 2).
pub(super) struct Denoising;

const GAUSSIAN: &str = "[model]\ncorruption = 'gaussian'\ncorruption_amount = 0.2";
const DROPOUT: &str = "[model]\ncorruption = 'dropout'\ncorruption_amount = 0.5\ncorruption_rescale = true";

// Wide enough to come close to the best denoiser; nothing has to be kept out of so wide a code, because
// noise that is copied is an error.
const SCORE: &str = r#"
[model]
hidden = [64, 64]
latent = 64
activation = "relu"
code_activation = "relu"
init = "he-uniform"
likelihood = "squared-error"
center = true
corruption = "gaussian"
corruption_amount = 0.1
[train]
optimizer = "adam"
learning_rate = 2e-3
schedule = "cosine"
batch = 512
epochs = 40
[data]
source = "mixture"
"#;

impl Variant for Denoising {
    const NAME: &'static str = "denoising";
    const SUMMARY: &'static str = "autoencoder that reconstructs clean images from noisy ones";
    const PRESETS: &'static [Preset] = &[
        Preset::new(Self::NAME, Self::SUMMARY, &[HIDDEN_100, GAUSSIAN]),
        Preset::new(
            "denoising-dropout",
            "the same, from images with half of their pixels lost",
            &[HIDDEN_100, DROPOUT],
        ),
        Preset::new(
            "tied-denoising",
            "the same with one layer of 1,000 sigmoid units and its transpose",
            &[TIED_1000, GAUSSIAN],
        ),
        Preset::new("score", "the same on points of the plane: r(x) - x points up the density", &[SCORE]),
    ];
    type Settings = NoSettings;
    type Model = Network;

    fn check(&self, model: &ModelConfig) -> Result<()> {
        if model.corruption != CorruptionKind::None {
            return Ok(());
        }
        let expected = "gaussian, dropout or salt-and-pepper for a denoising autoencoder";
        Err(Error::setting("corruption", expected, "none"))
    }

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
