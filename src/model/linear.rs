//! The linear autoencoder, which finds the subspace of PCA (Baldi and Hornik 1989; Murphy 20.3.1).

use crate::model::{Declare, ModelConfig, Network, NoSettings, Preset, Variant};
use crate::reference::activation::Activation;
use crate::{Error, Result};

/// One matrix in, one matrix out, on mean-centred images.
pub(super) struct Linear;

// Falling to zero the rate ends within a degree of PCA's subspace on the full Fashion-MNIST; 1e-3 throughout leaves
// almost four.
const PRESET: &str = r#"
[model]
latent = 30
bias = false
center = true
likelihood = "squared-error"
[train]
optimizer = "adam"
learning_rate = 3e-3
schedule = "linear"
batch = 128
epochs = 20
"#;

impl Variant for Linear {
    const NAME: &'static str = "linear";
    const SUMMARY: &'static str =
        "linear autoencoder without biases on mean-centred images: spans PCA's subspace";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[PRESET])];
    type Settings = NoSettings;
    type Model = Network;

    fn check(&self, model: &ModelConfig) -> Result<()> {
        let refuse = |setting: &str, expected: &str, got: String| {
            Err(Error::setting(setting, format!("{expected} for the variant linear"), got))
        };
        for (setting, layers) in [("encoder", &model.encoder), ("decoder", &model.decoder)] {
            if !layers.is_empty() {
                return refuse(setting, "no listed layers", format!("{} of them", layers.len()));
            }
        }
        if !model.hidden.is_empty() {
            return refuse("hidden", "no hidden layer", format!("{:?}", model.hidden));
        }
        let activations =
            [("code_activation", model.code_activation), ("output_activation", model.output_activation)];
        match activations.into_iter().find(|(_, activation)| *activation != Activation::Identity) {
            Some((setting, activation)) => refuse(setting, "identity", activation.to_string()),
            None => Ok(()),
        }
    }

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
