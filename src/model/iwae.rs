//! The importance-weighted autoencoder (Burda, Grosse and Salakhutdinov 2015, "Importance weighted autoencoders").

use narrows_shaders::MAX_ROUNDS;

use crate::graph::{Batch, gaussian_kl, log_ratio};
use crate::model::set_ups::HIDDEN_400;
use crate::model::{
    Autoencoder, Declare, LikelihoodKind, ModelConfig, Network, Preset, ReductionKind, Settings, Step,
    Variant, check_within,
};
use crate::{Error, Result};

/// A variational autoencoder trained on a tighter bound: the logarithm of the mean importance weight of several samples
/// of each image's code (Burda et al. 2015, equation 8).
pub(super) struct Iwae;

crate::settings! {
    /// Its settings. With one sample the expectation of the logarithm of its weight is known, and taken: that is the ELBO.
    pub struct IwaeSettings {
        /// Importance samples of each image; with 1 it is the vae
        samples: u32 = 5, "K";
    }
}

impl Settings for IwaeSettings {
    fn check(&self, model: &ModelConfig) -> Result<()> {
        // What the logarithm of a mean can be of.
        check_within("samples", self.samples, 1..=MAX_ROUNDS)?;
        if model.likelihood == LikelihoodKind::SquaredError {
            let expected = "a likelihood that is a probability, whose importance weights there are";
            return Err(Error::setting("likelihood", expected, "squared-error"));
        }
        if model.reduction == ReductionKind::Pixel {
            let expected = "image, since importance weights are of whole images";
            return Err(Error::setting("reduction", expected, "pixel"));
        }
        model.check_gaussian_code()
    }
}

impl Variant for Iwae {
    const NAME: &'static str = "iwae";
    const SUMMARY: &'static str =
        "importance-weighted autoencoder: a vae trained on a tighter bound, of several samples per image";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[HIDDEN_400])];
    type Settings = IwaeSettings;
    type Model = IwaeModel;

    fn declare(&self, settings: IwaeSettings, declare: &mut Declare<'_>) -> Result<IwaeModel> {
        Ok(IwaeModel { network: declare.network(2)?.with_gaussian_code(), settings })
    }
}

/// Its network and settings.
pub(super) struct IwaeModel {
    network: Network,
    settings: IwaeSettings,
}

impl Autoencoder for IwaeModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let k = self.settings.samples;
        let stats = self.network.encoder.record(step, batch.seen)?;
        let code = step.repeat_rows(stats, k)?.gaussian()?;
        let z = step.reparameterize(code)?;
        let logits = self.network.decoder.record(step, z)?;
        if k == 1 {
            let nll = self.network.nll(logits, batch.clean);
            return step.minimize(nll.bounding() + gaussian_kl(code).bounding());
        }
        let x = step.repeat_rows(batch.clean, k)?;
        let nll = step.values(&self.network.nll(logits, x))?;
        let log_ratio = step.values(&log_ratio(code))?;
        let log_weights = step.subtract(log_ratio, nll)?;
        let bound = step.log_mean_exp(log_weights, k)?;
        let loss = step.scale(bound, -1.0)?.term("iwae").counted_in("nats", "pixels and code");
        step.minimize(loss.bounding())
    }
}
