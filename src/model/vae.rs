//! The variational autoencoder (Kingma and Welling 2013; Murphy, Probabilistic Machine Learning, 20.3.5), alone or told of
//! the class of each image: the conditional one (Sohn, Lee and Yan 2015, "Learning structured output representation using
//! deep conditional generative models", section 4.1, with the class as what is given and the image as what is generated).

use crate::graph::{Batch, Warmup, free_bits_kl};
use crate::model::set_ups::HIDDEN_400;
use crate::model::{
    Autoencoder, ConditionKind, Declare, ModelConfig, Network, Preset, Settings, Step, Variant, WarmupKind,
    check_count, check_weight, check_within,
};
use crate::{Error, Result};

// A label is a byte.
const MOST_CLASSES: u32 = 256;
const MOST_EMBEDDING: u32 = 65_536;

/// A Gaussian code, its KL to the standard normal, and a decoder that learned to read samples of it.
pub(super) struct Vae;

crate::settings! {
    /// Its settings.
    pub struct VaeSettings {
        /// Weight of the KL to the prior, in nats summed over the code and averaged over images
        kl_weight: f32 = 1.0, "BETA";
        /// Free bits: KL of each dimension of the code, in nats averaged over a batch, that is not penalized
        free_bits: f32 = 0.0, "NATS";
        /// KL warm-up: none, linear or cyclical
        kl_warmup: WarmupKind = WarmupKind::None, "KIND";
        /// Length of the KL warm-up in epochs
        kl_warmup_epochs: u32 = 10, "N", with kl_warmup = "linear" | "cyclical";
        /// Cycles of a cyclical KL warm-up
        kl_cycles: u32 = 4, "N", with kl_warmup = "cyclical";
        /// How encoder and decoder are told the class: none, one-hot or embedded
        condition: ConditionKind = ConditionKind::None, "KIND";
        /// Classes of the data; 0 for as many as they have
        classes: u32 = 0, "N", with condition = "one-hot" | "embedded";
        /// Numbers that are learned for each class
        embedding: u32 = 8, "N", with condition = "embedded";
    }
}

impl Settings for VaeSettings {
    fn check(&self, model: &ModelConfig) -> Result<()> {
        check_weight("kl_weight", self.kl_weight)?;
        check_weight("free_bits", self.free_bits)?;
        check_count("kl_warmup_epochs", self.kl_warmup_epochs)?;
        check_count("kl_cycles", self.kl_cycles)?;
        check_within("classes", self.classes, 0..=MOST_CLASSES)?;
        check_within("embedding", self.embedding, 1..=MOST_EMBEDDING)?;
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

const ONE_HOT: &str = "[model]\ncondition = \"one-hot\"";
const PLANE: &str = "[model]\nlatent = 2";
// 28 -> 14 -> 7 of 28 x 28, with 32 and 64 filters.
const CONVOLUTIONS: &str = "[model]\nhidden = []\nstack = \"strided\"";

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
            "the same of convolutions, for images from 8 x 8",
            &[HIDDEN_400, CONVOLUTIONS],
        ),
        Preset::new(
            "cvae",
            "the same told of the class of each image: samples of one class",
            &[HIDDEN_400, ONE_HOT],
        ),
    ];
    type Settings = VaeSettings;
    type Model = VaeModel;

    fn declare(&self, settings: VaeSettings, declare: &mut Declare<'_>) -> Result<VaeModel> {
        let VaeSettings { condition, classes, embedding, .. } = settings;
        let network = match condition {
            ConditionKind::None => declare.network(2)?,
            ConditionKind::OneHot => declare.conditional_network(2, classes, None)?,
            ConditionKind::Embedded => declare.conditional_network(2, classes, Some(embedding))?,
        };
        Ok(VaeModel { network: network.with_gaussian_code(), settings })
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
        let code = self.network.encode(step, batch.seen, batch.classes)?.gaussian()?;
        let z = step.reparameterize(code)?;
        let output = self.network.decode(step, z, batch.classes)?;
        let nll = self.network.nll(output, batch.clean).bounding();
        let kl = free_bits_kl(code, free_bits).weighted(kl_weight, "kl_weight").bounding();
        let kl = kl.warmed_up(self.settings.warmup(step)?);
        step.minimize(nll + kl)
    }
}
