//! The sparse autoencoder (Ng 2011, "Sparse autoencoder"; Murphy, Probabilistic Machine Learning, 20.3.4).

use crate::graph::{Batch, Objective, kl_sparsity, l1};
use crate::model::set_ups::HIDDEN_100;
use crate::model::{
    Autoencoder, Declare, ModelConfig, Network, Preset, Settings, SparsityKind, Step, Variant, check_weight,
};
use crate::reference::activation::Activation;
use crate::{Error, Result};

/// A code wider than it needs to be, most of which is kept near zero.
///
/// The indicator in the sparse activation's q_k stands for the mean activation of logistic units: q_k is the mean of
/// unit k over the images of a batch, which is why the KL takes a sigmoid code.
pub(super) struct Sparse;

crate::settings! {
    /// Its settings.
    pub struct SparseSettings {
        /// Penalty on the code: none, l1 (|z| of each unit) or kl (of the target to each unit's mean; sigmoid code)
        sparsity: SparsityKind = SparsityKind::L1, "KIND";
        /// Weight of that penalty, summed over the units of the code and averaged over images
        sparsity_weight: f32 = 1e-3, "W", with sparsity = "l1" | "kl";
        /// Mean activation that the penalty kl wants each unit to have
        sparsity_target: f32 = 0.1, "P", with sparsity = "kl";
    }
}

impl Settings for SparseSettings {
    fn check(&self, model: &ModelConfig) -> Result<()> {
        check_weight("sparsity_weight", self.sparsity_weight)?;
        if !(self.sparsity_target > 0.0 && self.sparsity_target < 1.0) {
            return Err(Error::setting("sparsity_target", "above 0 and below 1", self.sparsity_target));
        }
        let (setting, units) = model.last_code_activation();
        if self.sparsity == SparsityKind::Kl && units != Activation::Sigmoid {
            let expected = "sigmoid with the sparsity kl, which is of logistic units";
            return Err(Error::setting(setting, expected, units));
        }
        Ok(())
    }
}

const WIDE: &str = "[model]\nlatent = 300\ncode_activation = 'sigmoid'\nsparsity_weight = 1e-3";
// 0.05 / 32
const KL: &str = "[model]\nlatent = 300\ncode_activation = 'sigmoid'\nsparsity = 'kl'\nsparsity_weight = 0.0015625\n\
    sparsity_target = 0.1";
const NONE: &str = "[model]\nlatent = 300\ncode_activation = 'sigmoid'\nsparsity = 'none'";

impl Variant for Sparse {
    const NAME: &'static str = "sparse";
    const SUMMARY: &'static str = "autoencoder with a wide code that an L1 penalty keeps near zero";
    const PRESETS: &'static [Preset] = &[
        Preset::new(Self::NAME, Self::SUMMARY, &[HIDDEN_100, WIDE]),
        Preset::new(
            "sparse-kl",
            "the same, by the KL of each unit's mean activation to a target",
            &[HIDDEN_100, KL],
        ),
        Preset::new("sparse-none", "the same without a penalty, to compare with", &[HIDDEN_100, NONE]),
    ];
    type Settings = SparseSettings;
    type Model = SparseModel;

    fn declare(&self, settings: SparseSettings, declare: &mut Declare<'_>) -> Result<SparseModel> {
        Ok(SparseModel { network: declare.network(1)?, settings })
    }
}

/// Its network and settings.
pub(super) struct SparseModel {
    network: Network,
    settings: SparseSettings,
}

impl Autoencoder for SparseModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let code = self.network.encoder.record(step, batch.seen)?;
        let y = self.network.decoder.record(step, code)?;
        let nll = Objective::from(self.network.nll(y, batch.clean));
        let penalty = match self.settings.sparsity {
            SparsityKind::None => return step.minimize(nll),
            SparsityKind::L1 => l1(code),
            SparsityKind::Kl => kl_sparsity(code, self.settings.sparsity_target),
        };
        step.minimize(nll + penalty.weighted(self.settings.sparsity_weight, "sparsity_weight"))
    }
}
