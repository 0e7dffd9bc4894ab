//! The variational autoencoder (Kingma and Welling 2013; Murphy, Probabilistic Machine Learning, 20.3.5).

use serde::{Deserialize, Serialize};

use super::set_ups::HIDDEN_400;
use super::settings::check_weight;
use super::{
    Autoencoder, Declare, ModelConfig, Network, Preset, Prior, Setting, Settings, Step, Variant, WarmupKind,
};
use crate::graph::{Batch, GaussianCode, Graph, Tensor, Warmup, free_bits_kl};
use crate::reference::activation::Activation;
use crate::{Error, Result};

/// A Gaussian code, its KL to the standard normal, and a decoder that learned to read samples of it.
pub(super) struct Vae;

/// Its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaeSettings {
    /// What the KL to the prior is multiplied by: nats summed over the code, averaged over images.
    pub kl_weight: f32,
    /// Nats of the KL, on average over a batch, that each dimension of the code may have without being penalized.
    pub free_bits: f32,
    /// How that weight comes in.
    pub kl_warmup: WarmupKind,
    /// Epochs until it is there as a whole.
    pub kl_warmup_epochs: u32,
    /// How often it rises in them, where that is cyclical.
    pub kl_cycles: u32,
}

impl Default for VaeSettings {
    fn default() -> Self {
        let kl_warmup = WarmupKind::None;
        Self { kl_weight: 1.0, free_bits: 0.0, kl_warmup, kl_warmup_epochs: 10, kl_cycles: 4 }
    }
}

impl Settings for VaeSettings {
    const DESCRIBED: &'static [Setting] = &[
        Setting::new(
            "kl_weight",
            "BETA",
            "Weight of the KL to the prior, in nats summed over the code and averaged over images",
        ),
        Setting::new(
            "free_bits",
            "NATS",
            "Free bits: KL of each dimension of the code, in nats averaged over a batch, that is not penalized",
        ),
        Setting::new("kl_warmup", "KIND", "KL warm-up: none, linear or cyclical"),
        Setting::new("kl_warmup_epochs", "N", "Length of the KL warm-up in epochs")
            .when("kl_warmup", &["linear", "cyclical"]),
        Setting::new("kl_cycles", "N", "Cycles of a cyclical KL warm-up").when("kl_warmup", &["cyclical"]),
    ];

    fn check(&self, model: &ModelConfig) -> Result<()> {
        check_weight("kl_weight", self.kl_weight)?;
        check_weight("free_bits", self.free_bits)?;
        for (name, count) in [("kl_warmup_epochs", self.kl_warmup_epochs), ("kl_cycles", self.kl_cycles)] {
            if count == 0 {
                return Err(Error::setting(name, "at least 1", 0));
            }
        }
        check_gaussian_code(model)
    }
}

impl VaeSettings {
    fn warmup(&self, step: &Step<'_>) -> Result<Warmup> {
        let steps = || step.steps_of(self.kl_warmup_epochs);
        Ok(match self.kl_warmup {
            WarmupKind::None => Warmup::NONE,
            WarmupKind::Linear => Warmup { steps: steps()?, cycles: 1, rise: 1.0 },
            WarmupKind::Cyclical => Warmup { steps: steps()?, cycles: self.kl_cycles, rise: 0.5 },
        })
    }
}

/// Whether a model can have a Gaussian code, of twice as many numbers as its decoder takes.
pub(super) fn check_gaussian_code(model: &ModelConfig) -> Result<()> {
    if model.tied {
        let expected = "false for a Gaussian code, whose encoder gives twice as much as its decoder takes";
        return Err(Error::setting("tied", expected, true));
    }
    if model.code_activation != Activation::Identity {
        let expected = "identity for a Gaussian code, whose mu and logvar may be any number";
        return Err(Error::setting("code_activation", expected, model.code_activation));
    }
    Ok(())
}

const PLANE: &str = "[model]\nlatent = 2";
// 28 -> 14 -> 7 by strides, and back by transposed convolutions.
const CONVOLUTIONS: &str = r#"
[model]
hidden = []
encoder = [
    { layer = "conv", filters = 32, kernel = 3, stride = 2, padding = "same" },
    { layer = "conv", filters = 64, kernel = 3, stride = 2, padding = "same" },
]
decoder = [
    { layer = "dense", units = 3136, activation = "relu" },
    { layer = "reshape", shape = [7, 7, 64] },
    { layer = "conv-transpose", filters = 32, kernel = 3, stride = 2, padding = "same" },
    { layer = "conv-transpose", filters = 1, kernel = 3, stride = 2, padding = "same" },
]
"#;

impl Variant for Vae {
    type Settings = VaeSettings;
    type Model = VaeModel;

    fn name(&self) -> &'static str {
        "vae"
    }

    fn summary(&self) -> &'static str {
        "variational autoencoder: Gaussian code, trained on the ELBO, can be sampled"
    }

    fn presets(&self) -> Vec<Preset> {
        let plane = "the same with a code of two numbers, for maps of what it learned";
        let convolutions = "the same of convolutions, for images of 28 x 28";
        vec![
            Preset::new(self.name(), self.summary(), &[HIDDEN_400]),
            Preset::new("vae-2d", plane, &[HIDDEN_400, PLANE]),
            Preset::new("vae-cnn", convolutions, &[HIDDEN_400, CONVOLUTIONS]),
        ]
    }

    fn declare(&self, settings: VaeSettings, declare: &mut Declare<'_>) -> Result<VaeModel> {
        Ok(VaeModel { network: declare.network(2)?, settings })
    }
}

/// Its network and settings.
pub(super) struct VaeModel {
    network: Network,
    settings: VaeSettings,
}

impl Autoencoder for VaeModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let VaeSettings { kl_weight, free_bits, .. } = self.settings;
        let code = self.network.encoder.record(step, batch.seen)?.gaussian()?;
        let z = step.reparameterize(code)?;
        let logits = self.network.decoder.record(step, z)?;
        let nll = self.network.nll(logits, batch.clean).bounding();
        let kl = free_bits_kl(code, free_bits).weighted(kl_weight, "kl_weight").bounding();
        let kl = kl.warmed_up(self.settings.warmup(step)?);
        step.minimize(nll + kl)
    }

    fn code(&self, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
        let code = self.network.encoder.record(graph, x)?.gaussian()?;
        graph.code_mean(code)
    }

    fn posterior(&self, graph: &mut Graph, x: Tensor) -> Result<Option<GaussianCode>> {
        Ok(Some(self.network.encoder.record(graph, x)?.gaussian()?))
    }

    fn prior(&self) -> Option<Prior> {
        Some(Prior::StandardNormal)
    }
}
