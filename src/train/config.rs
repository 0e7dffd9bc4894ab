//! A run's whole configuration: a preset, a TOML file over it, flags over that.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::Source;
use crate::graph::Optimizer;
use crate::model::{ModelConfig, variant};
use crate::{Error, Result};

/// Everything that decides a run's result, but for the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The model.
    pub model: ModelConfig,
    /// How it is trained.
    pub train: TrainConfig,
    /// On what.
    pub data: DataConfig,
}

/// How a model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training images.
    pub epochs: u32,
    /// Images a step.
    pub batch: u32,
    /// The kind of optimizer.
    pub optimizer: OptimizerKind,
    /// Its learning rate.
    pub learning_rate: f32,
    /// SGD's momentum.
    pub momentum: f32,
    /// Decay of Adam's first moment.
    pub beta1: f64,
    /// Decay of Adam's second moment.
    pub beta2: f64,
    /// Added to the root of Adam's second moment.
    pub epsilon: f32,
    /// Decay of the parameters: in the gradient for SGD and Adam, beside it for AdamW.
    pub weight_decay: f32,
    /// Decides first weights, the order of images and the noise.
    pub seed: u64,
}

/// The kinds of optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerKind {
    /// Stochastic gradient descent, with momentum where it is not zero.
    Sgd,
    /// Adam.
    #[default]
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
}

/// What a model is trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The data set.
    pub source: Source,
    /// Where its files are, if not where they are looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// How many of the last training images to hold out; by default a tenth, at most 5,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<usize>,
}

impl TrainConfig {
    /// The optimizer these settings mean.
    pub const fn optimizer(&self) -> Optimizer {
        let Self { momentum, weight_decay, beta1, beta2, epsilon, .. } = *self;
        match self.optimizer {
            OptimizerKind::Sgd => Optimizer::Sgd { momentum, weight_decay },
            OptimizerKind::Adam => Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled: false },
            OptimizerKind::AdamW => Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled: true },
        }
    }

    fn check(&self) -> Result<()> {
        let positive = |name: &str, value: f64| {
            let good = value.is_finite() && value > 0.0;
            if good { Ok(()) } else { Err(Error::setting(name, "a positive number", value)) }
        };
        let fraction = |name: &str, value: f64| {
            let good = (0.0..1.0).contains(&value);
            if good { Ok(()) } else { Err(Error::setting(name, "at least 0 and below 1", value)) }
        };
        positive("learning_rate", self.learning_rate.into())?;
        positive("epsilon", self.epsilon.into())?;
        fraction("momentum", self.momentum.into())?;
        fraction("beta1", self.beta1)?;
        fraction("beta2", self.beta2)?;
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(Error::setting("weight_decay", "a number that is not negative", self.weight_decay));
        }
        if self.batch == 0 || self.epochs == 0 {
            return Err(Error::setting("batch, epochs", "at least 1", "0"));
        }
        Ok(())
    }
}

impl Config {
    /// The defaults that presets start from.
    pub fn new(variant: &str) -> Self {
        Self {
            model: ModelConfig::new(variant),
            train: TrainConfig {
                epochs: 10,
                batch: 128,
                optimizer: OptimizerKind::Adam,
                learning_rate: 1e-3,
                momentum: 0.0,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.0,
                seed: 0,
            },
            data: DataConfig::default(),
        }
    }

    /// The preset of a variant.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the variants there are.
    pub fn preset(name: &str) -> Result<Self> {
        Ok(variant(name)?.preset())
    }

    /// This configuration with the settings of `table` in place of its own, section by section.
    ///
    /// # Errors
    /// [`Error::Setting`] in the parser's words, which name the setting; `origin` says where it stands.
    pub fn overlaid(&self, table: toml::Table, origin: &str) -> Result<Self> {
        let refuse = |message: String| Error::setting(origin, "settings that narrows knows", message);
        let mut merged = toml::Table::try_from(self).map_err(|error| refuse(error.to_string()))?;
        for (section, values) in table {
            match (merged.get_mut(&section), values) {
                (Some(toml::Value::Table(known)), toml::Value::Table(values)) => known.extend(values),
                (_, values) => {
                    merged.insert(section, values);
                }
            }
        }
        merged.try_into().map_err(|error: toml::de::Error| refuse(error.to_string().trim().to_owned()))
    }

    /// This configuration with the settings of a TOML file in place of its own.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Setting`] with the file's name and the parser's words.
    pub fn overlaid_file(&self, path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let origin = path.display().to_string();
        let table = text
            .parse()
            .map_err(|error: toml::de::Error| Error::setting(&origin, "TOML", error.to_string().trim()))?;
        self.overlaid(table, &origin)
    }

    /// As TOML, every setting spelled out.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that TOML cannot hold (a seed beyond 2^63).
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::setting("config", "what TOML can hold", error))
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that does not.
    pub fn check(&self) -> Result<()> {
        self.model.check()?;
        self.train.check()
    }
}
