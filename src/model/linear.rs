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
        let [code, output] = [model.code_activation, model.output_activation];
        let settings = [
            ("encoder", "no listed layers", model.encoder.is_empty(), model.encoder.len().to_string()),
            ("decoder", "no listed layers", model.decoder.is_empty(), model.decoder.len().to_string()),
            ("stack", "none", model.stack.is_none(), model.stack.to_string()),
            ("hidden", "no hidden layer", model.hidden.is_empty(), format!("{:?}", model.hidden)),
            ("code_activation", "identity", code == Activation::Identity, code.to_string()),
            ("output_activation", "identity", output == Activation::Identity, output.to_string()),
        ];
        match settings.into_iter().find(|(_, _, is_linear, _)| !is_linear) {
            Some((setting, expected, _, got)) => {
                Err(Error::setting(setting, format!("{expected} for the variant linear"), got))
            }
            None => Ok(()),
        }
    }

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
