//! The variational autoencoder (Kingma and Welling 2013; Murphy, Probabilistic Machine Learning, 20.3.5).

use serde::{Deserialize, Serialize};

use crate::graph::{Batch, Warmup, free_bits_kl};
use crate::model::set_ups::HIDDEN_400;
use crate::model::{
    Autoencoder, Declare, ModelConfig, Network, Preset, Setting, Settings, Step, Variant, WarmupKind,
    check_count, check_weight,
};
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
        check_count("kl_warmup_epochs", self.kl_warmup_epochs)?;
        check_count("kl_cycles", self.kl_cycles)?;
        model.check_gaussian_code()
    }
}

impl VaeSettings {
    fn warmup(&self, step: &Step<'_>) -> Result<Warmup> {
        let (cycles, rise) = match self.kl_warmup {
            WarmupKind::None => return Ok(Warmup::NONE),
            WarmupKind::Linear => (1, 1.0),
            WarmupKind::Cyclical => (self.kl_cycles, 0.5),
        };
        let epochs = self.kl_warmup_epochs;
        let too_long = |_| Error::setting("kl_warmup_epochs", "fewer than 2^32 steps", epochs);
        let steps = step.steps_of(epochs).map_err(too_long)?;
        // The device counts their product in 32 bits.
        let most = u32::MAX / steps.max(1);
        if cycles > most {
            return Err(Error::setting("kl_cycles", format!("at most {most} in {epochs} epochs"), cycles));
        }
        Ok(Warmup { steps, cycles, rise })
    }
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
    const NAME: &'static str = "vae";
    const SUMMARY: &'static str =
        "variational autoencoder: Gaussian code, trained on the ELBO, can be sampled";
    const PRESETS: &'static [Preset] = &[
        Preset::new(Self::NAME, Self::SUMMARY, &[HIDDEN_400]),
        Preset::new(
            "vae-2d",
            "the same with a code of two numbers, for maps of what it learned",
            &[HIDDEN_400, PLANE],
        ),
        Preset::new(
            "vae-cnn",
            "the same of convolutions, for images of 28 x 28",
            &[HIDDEN_400, CONVOLUTIONS],
        ),
    ];
    type Settings = VaeSettings;
    type Model = VaeModel;

    fn declare(&self, settings: VaeSettings, declare: &mut Declare<'_>) -> Result<VaeModel> {
        Ok(VaeModel { network: declare.network(2)?.with_gaussian_code(), settings })
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
        let output = self.network.decoder.record(step, z)?;
        let nll = self.network.nll(output, batch.clean).bounding();
        let kl = free_bits_kl(code, free_bits).weighted(kl_weight, "kl_weight").bounding();
        let kl = kl.warmed_up(self.settings.warmup(step)?);
        step.minimize(nll + kl)
    }
}
