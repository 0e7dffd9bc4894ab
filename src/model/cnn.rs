//! The convolutional bottleneck autoencoder (Murphy, Probabilistic Machine Learning, 20.3.1).

use super::{Extent, LayerConfig, PaddingConfig, ReductionKind, Variant};
use crate::reference::activation::Activation;
use crate::train::{Config, OptimizerKind};

/// Convolutions and pooling down to a small feature map, transposed convolutions back up.
pub(super) struct Cnn;

impl Variant for Cnn {
    fn name(&self) -> &'static str {
        "cnn"
    }

    fn summary(&self) -> &'static str {
        "bottleneck autoencoder of convolutions, for images of 28 x 28"
    }

    fn preset(&self) -> Config {
        let mut config = Config::new(self.name());
        config.model.latent = 0;
        config.model.activation = Activation::Selu;
        config.model.encoder = [16, 32, 64].into_iter().flat_map(conv_and_pool).collect();
        config.model.decoder = vec![
            doubled(32, PaddingConfig::Valid),
            doubled(16, PaddingConfig::Same),
            doubled(1, PaddingConfig::Same),
        ];
        config.model.reduction = ReductionKind::Pixel;
        config.train.optimizer = OptimizerKind::Sgd;
        config.train.learning_rate = 1.0;
        config.train.batch = 32;
        config.train.epochs = 5;
        config
    }
}

// 28 -> 14 -> 7 -> 3
fn conv_and_pool(filters: u32) -> [LayerConfig; 2] {
    let conv = LayerConfig::Conv {
        filters,
        kernel: Extent::square(3),
        stride: Extent::default(),
        padding: PaddingConfig::Same,
        activation: None,
    };
    [conv, LayerConfig::MaxPool { size: Extent::square(2), stride: None }]
}

// 3 -> 7 without padding, 7 -> 14 -> 28 with it
fn doubled(filters: u32, padding: PaddingConfig) -> LayerConfig {
    LayerConfig::ConvTranspose {
        filters,
        kernel: Extent::square(3),
        stride: Extent::square(2),
        padding,
        output_padding: Extent::zero(),
        activation: None,
    }
}
