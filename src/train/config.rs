//! A run's whole configuration: a preset, a TOML file over it, flags over that.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{ScheduleKind, WarmupKind};
use crate::data::{self, Form, Source, Split};
use crate::graph::Optimizer;
use crate::model::{ModelConfig, preset, variant};
use crate::{Error, Result};

/// Everything that decides a run's result, but for the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The preset it began with. A name alone: every setting is spelled out.
    pub preset: String,
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
    /// Its learning rate, with which the run begins.
    pub learning_rate: f32,
    /// How the learning rate goes over the run's epochs.
    pub schedule: ScheduleKind,
    /// How the weight of a Gaussian code's KL comes in.
    pub kl_warmup: WarmupKind,
    /// Over how many epochs it does; from there on it is there as a whole.
    pub kl_warmup_epochs: u32,
    /// How often it rises in them, where that is cyclical.
    pub kl_cycles: u32,
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
    /// Decides first weights, the order of images and the noise. Below 2^63.
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
    /// Height and width that a folder's pictures are brought to; by default their own where all have one of at most
    /// 128, else 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// Whether a folder's pictures are made grey; by default only if all are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grey: bool,
}

impl DataConfig {
    /// Loads the data set and takes its validation part off.
    ///
    /// # Errors
    /// As [`data::load_as`]; [`Error::Setting`] for a form beside a source whose images keep theirs.
    pub fn load(&self) -> Result<Split> {
        let size = self.size.map(|size| [size as usize; 2]);
        self.load_in(Form { size, channels: self.grey.then_some(1) })
    }

    /// Loads the data set for a model of images of this shape, `[height, width, channels]`: the pictures of a folder are
    /// brought to it where these settings do not say otherwise, other images are what they are.
    ///
    /// # Errors
    /// As [`DataConfig::load`].
    pub fn load_for(&self, [height, width, channels]: [usize; 3]) -> Result<Split> {
        let size = self.size.map_or([height, width], |size| [size as usize; 2]);
        self.load_in(Form { size: Some(size), channels: Some(if self.grey { 1 } else { channels }) })
    }

    fn load_in(&self, form: Form) -> Result<Split> {
        self.check()?;
        data::load_as(self.source, self.dir.as_deref(), self.validation, form)
    }

    fn check(&self) -> Result<()> {
        if self.size == Some(0) {
            return Err(Error::setting("size", "at least 1", 0));
        }
        if self.source != Source::Folder && (self.size.is_some() || self.grey) {
            let expected = format!("neither with the data set {}, whose images keep their form", self.source);
            let got = format!(
                "size {}, grey {}",
                self.size.map_or("none".to_owned(), |n| n.to_string()),
                self.grey
            );
            return Err(Error::setting("size, grey", expected, got));
        }
        Ok(())
    }
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
        let counts = [self.batch, self.epochs, self.kl_warmup_epochs, self.kl_cycles];
        for (name, value) in ["batch", "epochs", "kl_warmup_epochs", "kl_cycles"].into_iter().zip(counts) {
            if value == 0 {
                return Err(Error::setting(name, "at least 1", value));
            }
        }
        if i64::try_from(self.seed).is_err() {
            return Err(Error::setting("seed", "below 2^63, the largest number TOML holds", self.seed));
        }
        Ok(())
    }
}

impl Config {
    /// The defaults that presets start from.
    pub fn new(variant: &str) -> Self {
        Self {
            preset: variant.to_owned(),
            model: ModelConfig::new(variant),
            train: TrainConfig {
                epochs: 10,
                batch: 128,
                optimizer: OptimizerKind::Adam,
                learning_rate: 1e-3,
                schedule: ScheduleKind::default(),
                kl_warmup: WarmupKind::default(),
                kl_warmup_epochs: 10,
                kl_cycles: 4,
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

    /// The preset called `name`; that of a variant has the variant's name.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the presets there are.
    pub fn preset(name: &str) -> Result<Self> {
        Ok(preset(name)?.config)
    }

    /// Reads a TOML file with any of the sections `[model]`, `[train]` and `[data]`. What it leaves out comes
    /// from the preset that its key `preset` names. Without one that is `default`, or, where the file's
    /// `model.variant` is another, that variant's own.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] with the line that is not TOML; [`Error::Setting`] with the file and the
    /// setting it should not have, or have otherwise.
    pub fn load(path: &Path, default: &str) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let found = format!("in line {line}: {}", one_line(error.message()));
            Error::File { path: path.to_owned(), expected: "TOML".to_owned(), found }
        })?;
        let origin = path.display().to_string();
        Self::base(&table, default, &origin)?.overlaid(table, &origin)
    }

    // The preset under a file.
    fn base(table: &toml::Table, default: &str, origin: &str) -> Result<Self> {
        let named = table.get("model").and_then(|model| model.get("variant")).and_then(toml::Value::as_str);
        let Some(preset) = table.get("preset") else {
            let default = Self::preset(default)?;
            return match named {
                Some(named) if named != default.model.variant => Ok(variant(named)?.preset()),
                _ => Ok(default),
            };
        };
        let Some(name) = preset.as_str() else {
            return Err(Error::setting(format!("{origin}: preset"), "the name of a preset", preset));
        };
        let preset = Self::preset(name)?;
        match named {
            Some(named) if named != preset.model.variant => {
                let expected = format!("{}, as of the preset {name}", preset.model.variant);
                Err(Error::setting(format!("{origin}: model.variant"), expected, named))
            }
            _ => Ok(preset),
        }
    }

    /// This configuration with the settings of `table` in place of its own, section by section.
    ///
    /// # Errors
    /// [`Error::Setting`] that names the setting; `origin` says where it stands.
    pub fn overlaid(&self, table: toml::Table, origin: &str) -> Result<Self> {
        let refuse = |message: String| refusal(origin, &message);
        let mut merged = toml::Table::try_from(self).map_err(|error| refuse(error.to_string()))?;
        for (section, mut values) in table {
            if section == "model" {
                forget_widths(&mut values);
            }
            match (merged.get_mut(&section), values) {
                (Some(toml::Value::Table(known)), toml::Value::Table(values)) => known.extend(values),
                (Some(toml::Value::Table(_)), other) => {
                    let setting = format!("{origin}: {section}");
                    return Err(Error::setting(setting, format!("a section [{section}]"), other));
                }
                (_, values) => {
                    merged.insert(section, values);
                }
            }
        }
        merged.try_into().map_err(|error: toml::de::Error| refuse(error.to_string()))
    }

    /// As TOML, every setting spelled out.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that TOML cannot hold, which [`Config::check`] refuses.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::setting("config", "what TOML can hold", error))
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that does not.
    pub fn check(&self) -> Result<()> {
        self.model.check()?;
        let known = variant(&self.model.variant)?;
        if self.train.kl_warmup != WarmupKind::None && !known.has_prior() {
            let expected = format!("none for {}, whose code has no KL to a prior", known.name());
            return Err(Error::setting("kl_warmup", expected, "a warm-up"));
        }
        self.train.check()?;
        self.data.check()
    }
}

// Layers that are listed for both sides leave nothing that a preset's widths could mean.
fn forget_widths(model: &mut toml::Value) {
    let Some(model) = model.as_table_mut() else { return };
    let lists =
        |side: &str| model.get(side).and_then(toml::Value::as_array).is_some_and(|layers| !layers.is_empty());
    if lists("encoder") && lists("decoder") && !model.contains_key("hidden") {
        model.insert("hidden".to_owned(), toml::Value::Array(Vec::new()));
    }
}

// The parser says "WHAT, expected THIS" and, on a line of its own, "in `SECTION.SETTING`".
fn refusal(origin: &str, message: &str) -> Error {
    let message = message.trim();
    let (message, place) = message.rsplit_once("\nin ").unwrap_or((message, ""));
    let setting = match place.trim_matches('`') {
        "" => origin.to_owned(),
        place => format!("{origin}: {place}"),
    };
    let (got, expected) = message.split_once(", expected ").unwrap_or((message, "another value"));
    Error::setting(setting, one_line(expected), one_line(got))
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
