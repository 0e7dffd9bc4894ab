//! The contractive autoencoder (Rifai et al. 2011; Murphy, Probabilistic Machine Learning, 20.3.3).

use serde::{Deserialize, Serialize};

use super::set_ups::{HIDDEN_100, TIED_1000};
use super::settings::check_weight;
use super::{
    Autoencoder, ContractionKind, Declare, ModelConfig, Network, Preset, Setting, Settings, Step, Variant,
};
use crate::Result;
use crate::graph::Batch;

/// A code that is as insensitive to small changes of its image as reconstructing it allows.
pub(super) struct Contractive;

/// Its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContractiveSettings {
    /// How the squared norm of the encoder's Jacobian is found.
    pub contraction: ContractionKind,
    /// What that norm is multiplied by: the sum over all derivatives of the code by the pixels, averaged over images.
    pub contraction_weight: f32,
}

impl Default for ContractiveSettings {
    fn default() -> Self {
        Self { contraction: ContractionKind::Exact, contraction_weight: 0.1 }
    }
}

impl Settings for ContractiveSettings {
    const DESCRIBED: &'static [Setting] = &[
        Setting::new(
            "contraction",
            "KIND",
            "How the squared norm of the encoder's Jacobian is computed: exact or estimate",
        ),
        Setting::new(
            "contraction_weight",
            "LAMBDA",
            "Weight of that norm, summed over code and pixels and averaged over images",
        ),
    ];

    fn check(&self, _: &ModelConfig) -> Result<()> {
        check_weight("contraction_weight", self.contraction_weight)
    }
}

impl Variant for Contractive {
    type Settings = ContractiveSettings;
    type Model = ContractiveModel;

    fn name(&self) -> &'static str {
        "contractive"
    }

    fn summary(&self) -> &'static str {
        "autoencoder whose code is insensitive to small changes of its image: the encoder's Jacobian is penalized"
    }

    fn presets(&self) -> Vec<Preset> {
        let deep = "the same with a hidden layer on either side of a narrow code";
        let [one, small] = ["[model]\ncontraction_weight = 1.0", "[model]\ncontraction_weight = 1e-4"];
        vec![
            Preset::new(self.name(), self.summary(), &[TIED_1000, one]),
            Preset::new("contractive-deep", deep, &[HIDDEN_100, small]),
        ]
    }

    fn declare(&self, settings: ContractiveSettings, declare: &mut Declare<'_>) -> Result<ContractiveModel> {
        Ok(ContractiveModel { network: declare.network(1)?, settings })
    }
}

/// Its network and settings.
pub(super) struct ContractiveModel {
    network: Network,
    settings: ContractiveSettings,
}

impl Autoencoder for ContractiveModel {
    fn network(&self) -> &Network {
        &self.network
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let ContractiveSettings { contraction, contraction_weight } = self.settings;
        let outputs = self.network.encoder.record_each(step, batch.seen)?;
        let code = outputs.last().copied().unwrap_or(batch.seen);
        let y = self.network.decoder.record(step, code)?;
        let contraction = self.network.contraction(step, batch.seen, &outputs, contraction)?;
        step.minimize(
            self.network.nll(y, batch.clean) + contraction.weighted(contraction_weight, "contraction_weight"),
        )
    }
}
