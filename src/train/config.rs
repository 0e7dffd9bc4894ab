//! A run's whole configuration: a preset, a TOML file over it, flags over that.

use serde::{Deserialize, Serialize};

use super::{DataConfig, ScheduleKind, earlier};
use crate::graph::{Clip, Optimizer};
use crate::model::{LayerConfig, ModelConfig, Registry, Setting, VariantRef};
use crate::model::{keep_applicable, one_line, refusal, unknown};
use crate::{Error, Result};

/// Everything that decides a run's result, but for the device.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[serde(default, deny_unknown_fields)]
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
    /// SGD's momentum; none where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f32>,
    /// Decay of Adam's first moment; 0.9 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// Decay of Adam's second moment; 0.999 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// Added to the root of Adam's second moment; 1e-8 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f32>,
    /// The largest norm of all gradients together: larger ones are scaled down to it. None where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f32>,
    /// The largest magnitude of a gradient's number. None where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f32>,
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

/// The settings of training, as people read of them.
pub const TRAIN: &[Setting] = &[
    Setting::new("epochs", "N", "Passes over the training images"),
    Setting::new("batch", "N", "Batch size: images per step"),
    Setting::new("optimizer", "KIND", "sgd, adam or adamw"),
    Setting::new("learning_rate", "RATE", "Learning rate"),
    Setting::new(
        "schedule",
        "KIND",
        "Learning-rate schedule over the epochs: constant, linear or cosine (both to zero)",
    ),
    Setting::new("momentum", "M", "Momentum of sgd").when("optimizer", &["sgd"]),
    Setting::new("beta1", "B", "Decay of adam's first moment").when("optimizer", ADAM),
    Setting::new("beta2", "B", "Decay of adam's second moment").when("optimizer", ADAM),
    Setting::new("epsilon", "E", "Added to the root of adam's second moment").when("optimizer", ADAM),
    Setting::new("clip_norm", "NORM", "Gradient clipping: largest norm of all gradients together"),
    Setting::new("clip_value", "VALUE", "Gradient clipping: largest magnitude of a gradient's number"),
    Setting::new("weight_decay", "W", "Weight decay"),
    Setting::new(
        "seed",
        "N",
        "Seed of first weights, order and noise: the same seed on the same device gives the same bits",
    ),
];

const ADAM: &[&str] = &["adam", "adamw"];

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch: 128,
            optimizer: OptimizerKind::Adam,
            learning_rate: 1e-3,
            schedule: ScheduleKind::default(),
            momentum: None,
            beta1: None,
            beta2: None,
            epsilon: None,
            clip_norm: None,
            clip_value: None,
            weight_decay: 0.0,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// The optimizer these settings mean.
    pub fn optimizer(&self) -> Optimizer {
        let weight_decay = self.weight_decay;
        let [beta1, beta2] = [self.beta1.unwrap_or(0.9), self.beta2.unwrap_or(0.999)];
        let epsilon = self.epsilon.unwrap_or(1e-8);
        match self.optimizer {
            OptimizerKind::Sgd => Optimizer::Sgd { momentum: self.momentum.unwrap_or(0.0), weight_decay },
            OptimizerKind::Adam => Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled: false },
            OptimizerKind::AdamW => Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled: true },
        }
    }

    /// What is done to gradients that are too large.
    pub const fn clip(&self) -> Clip {
        Clip { norm: self.clip_norm, value: self.clip_value }
    }

    fn overlaid(&self, registry: &Registry, given: &toml::Table) -> Result<Self> {
        let known: Vec<&str> = TRAIN.iter().map(|setting| setting.name).collect();
        if let Some(name) = given.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(unknown("setting of training", name, &known, registry.owners(name)));
        }
        let mut all = self.table()?;
        all.extend(given.clone());
        keep_applicable(TRAIN, &mut all, given)?;
        all.try_into().map_err(|error: toml::de::Error| refusal("train", &error))
    }

    fn table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|error| Error::setting("train", "what TOML can hold", error))
    }

    fn check(&self) -> Result<()> {
        if i64::try_from(self.seed).is_err() {
            return Err(Error::setting("seed", "below 2^63, the largest number TOML holds", self.seed));
        }
        let given = self.table()?;
        keep_applicable(TRAIN, &mut given.clone(), &given)?;
        let positive = |name: &str, value: f64| {
            let good = value.is_finite() && value > 0.0;
            if good { Ok(()) } else { Err(Error::setting(name, "a positive number", value)) }
        };
        let fraction = |name: &str, value: f64| {
            let good = (0.0..1.0).contains(&value);
            if good { Ok(()) } else { Err(Error::setting(name, "at least 0 and below 1", value)) }
        };
        positive("learning_rate", self.learning_rate.into())?;
        let limits =
            [("epsilon", self.epsilon), ("clip_norm", self.clip_norm), ("clip_value", self.clip_value)];
        for (name, value) in limits {
            value.map_or(Ok(()), |value| positive(name, value.into()))?;
        }
        let decays =
            [("momentum", self.momentum.map(f64::from)), ("beta1", self.beta1), ("beta2", self.beta2)];
        for (name, value) in decays {
            value.map_or(Ok(()), |value| fraction(name, value))?;
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(Error::setting("weight_decay", "a number that is not negative", self.weight_decay));
        }
        for (name, value) in [("batch", self.batch), ("epochs", self.epochs)] {
            if value == 0 {
                return Err(Error::setting(name, "at least 1", value));
            }
        }
        Ok(())
    }
}

impl Config {
    /// The defaults that presets of a variant start from.
    pub fn new(variant: &VariantRef) -> Self {
        Self {
            preset: variant.name().to_owned(),
            model: ModelConfig::new(variant.clone()),
            train: TrainConfig::default(),
            data: DataConfig::default(),
        }
    }

    /// The built-in preset called `name`; that of a variant has the variant's name.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the presets there are.
    pub fn preset(name: &str) -> Result<Self> {
        Self::preset_of(&Registry::built_in(), name)
    }

    /// The preset called `name` among those of a registry.
    ///
    /// # Errors
    /// As [`Config::preset`], and where its text makes no sense.
    pub fn preset_of(registry: &Registry, name: &str) -> Result<Self> {
        let (variant, preset) = registry.preset(name)?;
        let laid = preset.toml.iter().try_fold(Self::new(variant), |config, text| {
            let table = text.parse().map_err(|error: toml::de::Error| {
                Error::setting(format!("preset {name}"), "TOML", one_line(error.message()))
            })?;
            config.overlaid_of(registry, table, &format!("preset {name}"))
        })?;
        Ok(Self { preset: name.to_owned(), ..laid })
    }

    /// Reads TOML with any of the sections `[model]`, `[train]` and `[data]`. What it leaves out comes from the preset
    /// that its key `preset` names. Without one that is `default`, or, where the text's `model.variant` is another, that
    /// variant's own. A configuration that a run of an earlier version wrote is read too.
    ///
    /// # Errors
    /// [`Error::Setting`] with `origin` and the line that is not TOML, or the setting that it should not have, or have
    /// otherwise.
    pub fn from_toml(registry: &Registry, text: &str, default: &str, origin: &str) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Error::setting(origin, "TOML", format!("in line {line}: {}", one_line(error.message())))
        })?;
        let table = earlier::brought_up(table, registry);
        Self::base(registry, &table, default, origin)?.overlaid_of(registry, table, origin)
    }

    // The preset under a file.
    fn base(registry: &Registry, table: &toml::Table, default: &str, origin: &str) -> Result<Self> {
        let named = table.get("model").and_then(|model| model.get("variant")).and_then(toml::Value::as_str);
        if let Some(unknown) = named.filter(|named| registry.variant(named).is_err()) {
            return Err(Error::setting(format!("{origin}: model.variant"), registry.one_of_them(), unknown));
        }
        let Some(preset) = table.get("preset") else {
            let default = Self::preset_of(registry, default)?;
            return match named {
                Some(named) if named != default.model.variant.name() => Self::preset_of(registry, named),
                _ => Ok(default),
            };
        };
        let Some(name) = preset.as_str() else {
            return Err(Error::setting(format!("{origin}: preset"), "the name of a preset", preset));
        };
        let preset = Self::preset_of(registry, name)?;
        match named {
            Some(named) if named != preset.model.variant.name() => {
                let expected = format!("{}, as of the preset {name}", preset.model.variant.name());
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
        self.overlaid_of(&Registry::built_in(), table, origin)
    }

    /// As [`Config::overlaid`]; a setting that another variant has is refused with the names of those in `registry`.
    ///
    /// # Errors
    /// As [`Config::overlaid`].
    pub fn overlaid_of(&self, registry: &Registry, table: toml::Table, origin: &str) -> Result<Self> {
        let mut config = self.clone();
        for (section, mut values) in table {
            if section == "preset" {
                values.as_str().unwrap_or_default().clone_into(&mut config.preset);
                continue;
            }
            if section == "model" {
                forget_widths(&mut values);
            }
            let toml::Value::Table(values) = values else {
                let setting = format!("{origin}: {section}");
                return Err(Error::setting(setting, format!("a section [{section}]"), values));
            };
            let laid = match section.as_str() {
                "model" => config.model.overlaid_of(registry, &values).map(|model| config.model = model),
                "train" => config.train.overlaid(registry, &values).map(|train| config.train = train),
                "data" => config.data.overlaid(&values).map(|data| config.data = data),
                other => {
                    let known = ["model", "train", "data", "preset"];
                    return Err(unknown(origin, other, &known, None));
                }
            };
            laid.map_err(|error| error.at(origin))?;
        }
        Ok(config)
    }

    /// What tells it from others, on one line: widths, activation, likelihood, corruption, the variant's own settings,
    /// optimizer.
    pub fn set_up(&self) -> String {
        let Self { model, train, data, .. } = self;
        let mut parts = Vec::new();
        if !model.hidden.is_empty() {
            let widths: Vec<String> = model.hidden.iter().map(u32::to_string).collect();
            parts.push(format!("hidden {} {}", widths.join("-"), model.activation));
        }
        for (side, layers) in [("encoder", &model.encoder), ("decoder", &model.decoder)] {
            if !layers.is_empty() {
                let layers: Vec<String> = layers.iter().map(LayerConfig::to_string).collect();
                parts.push(format!("{side} {} {}", layers.join(" "), model.activation));
            }
        }
        if model.latent > 0 {
            parts.push(format!("code {} {}", model.latent, model.code_activation));
        }
        if model.tied {
            parts.push("tied".to_owned());
        }
        parts.push(toml_name(&model.likelihood));
        if let (Some(_), Some(amount)) = (model.corruption(), model.corruption_amount) {
            let rescaled = if model.corruption_rescale == Some(true) { " rescaled" } else { "" };
            parts.push(format!("{} {amount}{rescaled}", toml_name(&model.corruption)));
        }
        let default = ModelConfig::new(model.variant.clone()).own;
        let own = model.own.iter().filter(|(name, value)| default.get(*name) != Some(value));
        parts.extend(own.map(|(name, value)| format!("{} {value}", name.replace('_', " "))));
        parts.push(format!("{} {}", toml_name(&train.optimizer), train.learning_rate));
        if train.weight_decay > 0.0 {
            parts.push(format!("weight decay {}", train.weight_decay));
        }
        parts.push(format!("batch {}, {} epochs", train.batch, train.epochs));
        parts.push(data.source.to_string());
        parts.join(", ")
    }

    /// As TOML, every setting that applies spelled out.
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

// What a setting is called in a file.
fn toml_name(setting: &impl Serialize) -> String {
    toml::Value::try_from(setting).ok().as_ref().and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}
