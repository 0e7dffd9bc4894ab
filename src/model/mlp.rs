//! The bottleneck autoencoder of dense layers (Murphy, Probabilistic Machine Learning, 20.3.1).

use super::set_ups::{HIDDEN_100, TIED_1000};
use super::{Declare, Network, NoSettings, Preset, Variant};
use crate::Result;

/// Encoder and decoder of any depth around a narrow code.
pub(super) struct Mlp;

impl Variant for Mlp {
    type Settings = NoSettings;
    type Model = Network;

    fn name(&self) -> &'static str {
        "mlp"
    }

    fn summary(&self) -> &'static str {
        "bottleneck autoencoder of dense layers"
    }

    fn presets(&self) -> Vec<Preset> {
        let faster = "[train]\nlearning_rate = 1.5\nepochs = 5";
        let decay = "[train]\noptimizer = 'adamw'\nweight_decay = 0.1";
        vec![
            Preset::new(self.name(), self.summary(), &[HIDDEN_100, faster]),
            Preset::new("tied", "one layer of 1,000 sigmoid units and its transpose", &[TIED_1000]),
            Preset::new("tied-decay", "the same with weight decay", &[TIED_1000, decay]),
        ]
    }

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
