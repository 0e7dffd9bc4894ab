//! A run's whole configuration: a preset, a TOML file over it, flags over that.

use serde::Serialize;

use super::transform::without_labels;
use super::{DataConfig, TRAIN, TrainConfig, Transform, earlier};
use crate::data::{Dataset, Scaling};
use crate::graph::{Rows, Shape};
use crate::model::{LayerConfig, ModelConfig, Registry, VariantRef, one_line, unknown};
use crate::{Error, Result};

/// Everything that decides a run's result, except the device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Config {
    /// The name of the preset that it began with; every setting is spelled out.
    pub preset: String,
    /// The model.
    pub model: ModelConfig,
    /// How it is trained.
    pub train: TrainConfig,
    /// On what.
    pub data: DataConfig,
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
    /// As [`Config::preset`], and where its text makes no sense or the registry has a name for two things.
    pub fn preset_of(registry: &Registry, name: &str) -> Result<Self> {
        registry.check(TRAIN)?;
        let (variant, preset) = registry.preset(name)?;
        let laid = preset.toml.iter().try_fold(Self::new(variant), |config, text| {
            let table = text.parse().map_err(|error: toml::de::Error| {
                Error::setting(format!("preset {name}"), "TOML", one_line(error.message()))
            })?;
            config.overlaid_of(registry, table, &format!("preset {name}"))
        })?;
        Ok(Self { preset: name.to_owned(), ..laid })
    }

    /// Reads TOML with any of the sections `[model]`, `[train]` and `[data]`, of this version or an earlier one. What it
    /// leaves out comes from the preset that its key `preset` names: without one that is `default`, or the own preset of
    /// its `model.variant` where that is another variant.
    ///
    /// # Errors
    /// [`Error::Setting`] with `origin`, and the line that is not TOML or the setting that is refused.
    pub fn from_toml(registry: &Registry, text: &str, default: &str, origin: &str) -> Result<Self> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Error::setting(origin, "TOML", format!("in line {line}: {}", one_line(error.message())))
        })?;
        Self::from_table(registry, table, default, origin)
    }

    pub(super) fn from_table(
        registry: &Registry,
        table: toml::Table,
        default: &str,
        origin: &str,
    ) -> Result<Self> {
        let table = earlier::brought_up(table, registry);
        Self::base(registry, &table, default, origin)?.overlaid_of(registry, table, origin)
    }

    // The preset under a file.
    fn base(registry: &Registry, table: &toml::Table, default: &str, origin: &str) -> Result<Self> {
        let variant = table.get("model").and_then(|model| model.get("variant")).and_then(toml::Value::as_str);
        variant.map_or(Ok(()), |name| registry.variant(name).map(drop)).map_err(|error| error.at(origin))?;
        let Some(name) = table.get("preset").and_then(toml::Value::as_str) else {
            let base = Self::preset_of(registry, default)?;
            let other = variant.filter(|variant| *variant != base.model.variant.name());
            return other.map_or(Ok(base), |variant| Self::preset_of(registry, variant));
        };
        let base = Self::preset_of(registry, name).map_err(|error| error.at(origin))?;
        match variant.filter(|variant| *variant != base.model.variant.name()) {
            Some(other) => {
                let expected = format!("{}, as of the preset {name}", base.model.variant.name());
                Err(Error::setting(format!("{origin}: model.variant"), expected, other))
            }
            None => Ok(base),
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
    pub fn overlaid_of(&self, registry: &Registry, table: toml::Table, origin: &str) -> Result<Self> {
        let mut config = self.clone();
        for (section, mut values) in table {
            if section == "preset" {
                let toml::Value::String(name) = values else {
                    let setting = format!("{origin}: preset");
                    return Err(Error::setting(setting, "the name of a preset", values));
                };
                config.preset = name;
                continue;
            }
            if section == "model" {
                forget_others(&mut values);
            }
            let toml::Value::Table(values) = values else {
                let setting = format!("{origin}: {section}");
                return Err(Error::setting(setting, format!("a section [{section}]"), values));
            };
            let laid = match section.as_str() {
                "model" => config.model.overlaid(registry, &values).map(|model| config.model = model),
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

    /// What stands between images and the model, fitted to the training images `train`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a likelihood of numbers in [0, 1] where they do not lie there, for a precision of bytes, and
    /// as [`Scaling::fit`].
    pub fn transform(&self, train: &Dataset) -> Result<Transform> {
        let scaling = Scaling::fit(train, self.data.scale, self.data.scale_over)?;
        if self.model.likelihood.needs_unit() && !scaling.kind.gives_unit(train) {
            let name = toml_name(&self.model.likelihood);
            let got = format!("numbers in {}", scaling.units());
            let expected = format!(
                "numbers in [0, 1] with the {name} likelihood: give --scale unit, or --likelihood gaussian-learned"
            );
            return Err(Error::setting(format!("data set {}", train.name), expected, got));
        }
        let mut transform = Transform::fit(train, scaling, self.model.center, self.data.precision);
        transform.classes = self.classes_of(train)?;
        match self.data.precision {
            Some(precision) if transform.rows(train) == Rows::Bytes => {
                let expected = "none for pictures and arrays of bytes, which stay bytes on the device";
                Err(Error::setting("precision", expected, toml_name(&precision)))
            }
            _ => Ok(transform),
        }
    }

    /// Its main settings on one line: widths, activation, likelihood, corruption, the variant's own, optimizer.
    pub fn set_up(&self) -> String {
        let Self { model, train, data, .. } = self;
        let mut parts = Vec::new();
        if !model.hidden.is_empty() {
            let widths: Vec<String> = model.hidden.iter().map(u32::to_string).collect();
            parts.push(format!("hidden {} {}", widths.join("-"), model.activation));
        }
        if !model.stack.is_none() {
            parts.push(format!("{} convolutions {}", model.stack, model.activation));
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
        // Classes that are not counted yet.
        let own = own.filter(|(name, _)| *name != "classes" || model.classes() != Some(0));
        let said = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        parts.extend(own.map(|(name, value)| format!("{} {}", name.replace('_', " "), said(value))));
        parts.push(format!("{} {}", toml_name(&train.optimizer), train.learning_rate));
        if train.weight_decay > 0.0 {
            parts.push(format!("weight decay {}", train.weight_decay));
        }
        parts.push(format!("batch {}, {} epochs", train.batch, train.epochs));
        parts.push(data.source.to_string());
        parts.join(", ")
    }

    /// As TOML, every setting that applies spelled out.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::setting("config", "what TOML can hold", error))
    }

    /// This configuration for images of one size, its model by [`ModelConfig::fitted_to`].
    ///
    /// # Errors
    /// [`Error::Setting`] for images that are too small for the model's convolutions.
    pub fn fitted_to(&self, image: Shape) -> Result<Self> {
        Ok(Self { model: self.model.fitted_to(image)?, ..self.clone() })
    }

    /// This configuration for these training images: of their size, and of their classes where the model is told of them.
    ///
    /// # Errors
    /// As [`Config::fitted_to`]; [`Error::Setting`] for another number of classes, and for data without labels.
    pub fn fitted_to_data(&self, train: &Dataset) -> Result<Self> {
        let mut config = self.fitted_to(train.shape().try_into()?)?;
        let classes = u32::try_from(config.classes_of(train)?.len()).unwrap_or(u32::MAX);
        config.model = config.model.with_classes(classes)?;
        Ok(config)
    }

    // The names of the classes that the model is told of.
    fn classes_of(&self, train: &Dataset) -> Result<Vec<String>> {
        match self.model.classes() {
            None => Ok(Vec::new()),
            Some(_) => train.class_names().ok_or_else(|| without_labels(train)),
        }
    }

    /// Refuses settings that make no sense together.
    pub fn check(&self) -> Result<()> {
        self.model.check()?;
        self.train.check()?;
        self.data.check()
    }
}

// Layers that are listed for both sides leave nothing that a preset's widths or stack could mean, and a stack leaves
// nothing of the widths.
fn forget_others(model: &mut toml::Value) {
    let Some(model) = model.as_table_mut() else { return };
    let lists =
        |side: &str| model.get(side).and_then(toml::Value::as_array).is_some_and(|layers| !layers.is_empty());
    let listed = lists("encoder") && lists("decoder");
    let stack = model.get("stack").is_some_and(|stack| stack.as_str() != Some("none"));
    if listed && !model.contains_key("stack") {
        model.insert("stack".to_owned(), "none".into());
    }
    if (listed || stack) && !model.contains_key("hidden") {
        model.insert("hidden".to_owned(), toml::Value::Array(Vec::new()));
    }
}

// What a setting is called in a file.
pub(super) fn toml_name(setting: &impl Serialize) -> String {
    toml::Value::try_from(setting).ok().as_ref().and_then(toml::Value::as_str).unwrap_or_default().to_owned()
}
