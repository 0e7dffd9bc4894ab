//! The contractive autoencoder (Rifai et al. 2011; Murphy, Probabilistic Machine Learning, 20.3.3).

use crate::Result;
use crate::graph::Batch;
use crate::model::set_ups::{HIDDEN_100, TIED_1000};
use crate::model::{
    Autoencoder, ContractionKind, Declare, ModelConfig, Network, Preset, Settings, Step, Variant,
    check_weight,
};

/// A code that is as insensitive to small changes of its image as reconstructing it allows.
pub(super) struct Contractive;

crate::settings! {
    /// Its settings.
    pub struct ContractiveSettings {
        /// How the squared norm of the encoder's Jacobian is computed: exact or estimate
        contraction: ContractionKind = ContractionKind::Exact, "KIND";
        /// Weight of that norm, summed over code and pixels and averaged over images
        contraction_weight: f32 = 0.1, "LAMBDA";
    }
}

impl Settings for ContractiveSettings {
    fn check(&self, _: &ModelConfig) -> Result<()> {
        check_weight("contraction_weight", self.contraction_weight)
    }
}

impl Variant for Contractive {
    const NAME: &'static str = "contractive";
    const SUMMARY: &'static str = "autoencoder whose code is insensitive to small changes of its image: the encoder's Jacobian is penalized";
    const PRESETS: &'static [Preset] = &[
        Preset::new(Self::NAME, Self::SUMMARY, &[TIED_1000, "[model]\ncontraction_weight = 1.0"]),
        Preset::new(
            "contractive-deep",
            "the same with a hidden layer on either side of a narrow code",
            &[HIDDEN_100, "[model]\ncontraction_weight = 1e-4"],
        ),
    ];
    type Settings = ContractiveSettings;
    type Model = ContractiveModel;

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
