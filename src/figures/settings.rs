//! How much is spent on figures, and on which images.

use crate::Result;
use crate::data::Source;
use crate::train::{Config, DataConfig};

/// What all figures of an invocation share.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The images, but for figures that have data of their own.
    pub data: DataConfig,
    /// Whether fewer epochs are enough, to see that everything works.
    pub quick: bool,
    /// Epochs of every model, where not each its own.
    pub epochs: Option<u32>,
    /// Decides everything random.
    pub seed: u64,
}

impl Settings {
    /// The set-ups of the book: all of Fashion-MNIST, its last 5,000 training images to validate.
    pub fn full() -> Self {
        let data = DataConfig { source: Source::FashionMnist, ..DataConfig::default() };
        Self { data, quick: false, epochs: None, seed: 0 }
    }

    /// The built-in sample, and few epochs.
    pub fn quick() -> Self {
        Self { data: DataConfig::default(), quick: true, epochs: None, seed: 0 }
    }

    /// A preset as these settings train it; `quick` is how many epochs show what there is to see.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) where there is no such preset.
    pub fn preset(&self, name: &str, quick: u32) -> Result<Config> {
        let mut config = Config::preset(name)?;
        config.data = self.data.clone();
        config.train.seed = self.seed;
        if self.quick {
            config.train.epochs = config.train.epochs.min(quick);
        }
        config.train.epochs = self.epochs.unwrap_or(config.train.epochs);
        Ok(config)
    }
}
