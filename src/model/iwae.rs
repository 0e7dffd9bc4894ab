//! The importance-weighted autoencoder (Burda, Grosse and Salakhutdinov 2015, "Importance weighted autoencoders").

use serde::{Deserialize, Serialize};

use super::set_ups::HIDDEN_400;
use super::vae::check_gaussian_code;
use super::{
    Autoencoder, Declare, LikelihoodKind, ModelConfig, Network, Preset, Prior, ReductionKind, Setting,
    Settings, Step, Variant,
};
use crate::graph::{Batch, GaussianCode, Graph, Tensor, gaussian_kl, log_ratio};
use crate::{Error, Result};

/// A variational autoencoder trained on a tighter bound: the logarithm of the mean importance weight of several samples
/// of each image's code (Burda et al. 2015, equation 8).
pub(super) struct Iwae;

/// Its settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IwaeSettings {
    /// k, the samples of each image. With one the expectation of the logarithm of its weight is known, and taken: that
    /// is the ELBO of the variational autoencoder.
    pub samples: u32,
}

impl Default for IwaeSettings {
    fn default() -> Self {
        Self { samples: 5 }
    }
}

impl Settings for IwaeSettings {
    const DESCRIBED: &'static [Setting] =
        &[Setting::new("samples", "K", "Importance samples of each image; with 1 it is the vae")];

    fn check(&self, model: &ModelConfig) -> Result<()> {
        if self.samples == 0 {
            return Err(Error::setting("samples", "at least 1", 0));
        }
        if model.likelihood == LikelihoodKind::SquaredError {
            let expected = "a likelihood that is a probability, whose importance weights there are";
            return Err(Error::setting("likelihood", expected, "squared-error"));
        }
        if model.reduction == ReductionKind::Pixel {
            let expected = "image, since importance weights are of whole images";
            return Err(Error::setting("reduction", expected, "pixel"));
        }
        check_gaussian_code(model)
    }
}

impl Variant for Iwae {
    type Settings = IwaeSettings;
    type Model = IwaeModel;

    fn name(&self) -> &'static str {
        "iwae"
    }

    fn summary(&self) -> &'static str {
        "importance-weighted autoencoder: a vae trained on a tighter bound, of several samples an image"
    }

    fn presets(&self) -> Vec<Preset> {
        vec![Preset::new(self.name(), self.summary(), &[HIDDEN_400])]
    }

    fn declare(&self, settings: IwaeSettings, declare: &mut Declare<'_>) -> Result<IwaeModel> {
        Ok(IwaeModel { network: declare.network(2)?, settings })
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
