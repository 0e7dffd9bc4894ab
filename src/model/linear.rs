//! The linear autoencoder, which finds the subspace of PCA (Baldi and Hornik 1989; Murphy 20.3.1).

use super::{Declare, ModelConfig, Network, NoSettings, Preset, Variant};
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
    type Settings = NoSettings;
    type Model = Network;

    fn name(&self) -> &'static str {
        "linear"
    }

    fn summary(&self) -> &'static str {
        "linear autoencoder without biases on mean-centred images: spans PCA's subspace"
    }

    fn presets(&self) -> Vec<Preset> {
        vec![Preset::new(self.name(), self.summary(), &[PRESET])]
    }

    fn check(&self, model: &ModelConfig) -> Result<()> {
        let [code, output] = [model.code_activation, model.output_activation];
        let layers = [&model.encoder, &model.decoder].iter().any(|layers| !layers.is_empty());
        if !layers && model.hidden.is_empty() && [code, output] == [Activation::Identity; 2] {
            return Ok(());
        }
        let got = format!("hidden {:?}, code {code}, output {output}", model.hidden);
        Err(Error::setting("linear", "no hidden layer and no activation", got))
    }

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
