//! The convolutional bottleneck autoencoder (Murphy, Probabilistic Machine Learning, 20.3.1).

use crate::Result;
use crate::model::{Declare, Network, NoSettings, Preset, Variant};

/// Convolutions and pooling down to a small feature map, transposed convolutions back up.
pub(super) struct Cnn;

// 28 -> 14 -> 7 -> 3 of 28 x 28, with 16, 32 and 64 filters.
const PRESET: &str = r#"
[model]
latent = 0
activation = "selu"
reduction = "pixel"
stack = "pooled"
[train]
optimizer = "sgd"
learning_rate = 1.0
batch = 32
epochs = 5
"#;

impl Variant for Cnn {
    const NAME: &'static str = "cnn";
    const SUMMARY: &'static str = "bottleneck autoencoder of convolutions, for images from 8 x 8";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[PRESET])];
    type Settings = NoSettings;
    type Model = Network;

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
