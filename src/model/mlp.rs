//! The bottleneck autoencoder of dense layers (Murphy, Probabilistic Machine Learning, 20.3.1).

use crate::Result;
use crate::model::set_ups::{HIDDEN_100, TIED_1000};
use crate::model::{Declare, Network, NoSettings, Preset, Variant};

/// Encoder and decoder of any depth around a narrow code.
pub(super) struct Mlp;

impl Variant for Mlp {
    const NAME: &'static str = "mlp";
    const SUMMARY: &'static str = "bottleneck autoencoder of dense layers";
    const PRESETS: &'static [Preset] = &[
        Preset::new(Self::NAME, Self::SUMMARY, &[HIDDEN_100, "[train]\nlearning_rate = 1.5\nepochs = 5"]),
        Preset::new("tied", "one layer of 1,000 sigmoid units and its transpose", &[TIED_1000]),
        Preset::new(
            "tied-decay",
            "the same with weight decay",
            &[TIED_1000, "[train]\noptimizer = 'adamw'\nweight_decay = 0.1"],
        ),
    ];
    type Settings = NoSettings;
    type Model = Network;

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
