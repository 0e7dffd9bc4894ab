//! The convolutional bottleneck autoencoder (Murphy, Probabilistic Machine Learning, 20.3.1).

use crate::Result;
use crate::model::{Declare, Network, NoSettings, Preset, Variant};

/// Convolutions and pooling down to a small feature map, transposed convolutions back up.
pub(super) struct Cnn;

// 28 -> 14 -> 7 -> 3, then 3 -> 7 without padding, 7 -> 14 -> 28 with it.
const PRESET: &str = r#"
[model]
latent = 0
activation = "selu"
reduction = "pixel"
encoder = [
    { layer = "conv", filters = 16, kernel = 3, padding = "same" },
    { layer = "max-pool", size = 2 },
    { layer = "conv", filters = 32, kernel = 3, padding = "same" },
    { layer = "max-pool", size = 2 },
    { layer = "conv", filters = 64, kernel = 3, padding = "same" },
    { layer = "max-pool", size = 2 },
]
decoder = [
    { layer = "conv-transpose", filters = 32, kernel = 3, stride = 2, padding = "valid" },
    { layer = "conv-transpose", filters = 16, kernel = 3, stride = 2, padding = "same" },
    { layer = "conv-transpose", filters = 1, kernel = 3, stride = 2, padding = "same" },
]
[train]
optimizer = "sgd"
learning_rate = 1.0
batch = 32
epochs = 5
"#;

impl Variant for Cnn {
    const NAME: &'static str = "cnn";
    const SUMMARY: &'static str = "bottleneck autoencoder of convolutions, for images of 28 x 28";
    const PRESETS: &'static [Preset] = &[Preset::new(Self::NAME, Self::SUMMARY, &[PRESET])];
    type Settings = NoSettings;
    type Model = Network;

    fn declare(&self, _: NoSettings, declare: &mut Declare<'_>) -> Result<Network> {
        declare.network(1)
    }
}
