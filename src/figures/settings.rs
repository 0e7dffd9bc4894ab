//! How long the models of figures are trained, and on which images.

use crate::Result;
use crate::data::Source;
use crate::train::{Config, DataConfig};

/// What all figures of an invocation share.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The images, except for figures that have data of their own.
    pub data: DataConfig,
    /// Whether to train for fewer epochs, to see that everything works.
    pub quick: bool,
    /// Epochs of every model; each has its own where this is none.
    pub epochs: Option<u32>,
    /// The seed of everything random.
    pub seed: u64,
}

impl Settings {
    /// The set-ups of the book, on all of Fashion-MNIST with its last 5,000 training images to validate; `quick` for the
    /// built-in sample and few epochs.
    pub fn new(quick: bool) -> Self {
        let source = if quick { Source::Sample } else { Source::FashionMnist };
        Self { data: DataConfig { source, ..DataConfig::default() }, quick, epochs: None, seed: 0 }
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
