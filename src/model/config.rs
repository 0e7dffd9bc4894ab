//! What can be configured of a model: the settings of every model, and those of its variant.

use serde::Serialize;

use super::sections::{check_applicable, overlaid, read, unknown};
use super::{COMMON, CommonSettings, Registry, Setting, Settings, VariantRef};
use crate::reference::activation::Activation;
use crate::{Error, Result};

/// A model, before it meets images: the settings of every model, and those of its variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelConfig {
    /// The kind of autoencoder.
    pub variant: VariantRef,
    /// The settings of every model.
    #[serde(flatten)]
    pub common: CommonSettings,
    /// The variant's own settings that apply, by name.
    #[serde(flatten)]
    pub own: toml::Table,
}

impl std::ops::Deref for ModelConfig {
    type Target = CommonSettings;

    fn deref(&self) -> &CommonSettings {
        &self.common
    }
}

impl std::ops::DerefMut for ModelConfig {
    fn deref_mut(&mut self) -> &mut CommonSettings {
        &mut self.common
    }
}

impl ModelConfig {
    /// The defaults that presets of a variant start from.
    pub fn new(variant: VariantRef) -> Self {
        let none = toml::Table::new();
        let own = variant.dynamic.filled(&none, &none).unwrap_or_default();
        Self { variant, common: CommonSettings::default(), own }
    }

    /// This model with what is `given` in a section `[model]` in place of its own settings. Settings of a choice that is
    /// no longer made, as the amount of a corruption that is now none, are dropped.
    ///
    /// # Errors
    /// [`Error::Setting`] for a value that is not valid, another variant, a setting that does not apply, or one that the
    /// variant does not have: then with the nearest that it has, or the variants of `registry` that have it.
    pub fn overlaid(&self, registry: &Registry, given: &toml::Table) -> Result<Self> {
        let variant = self.variant.clone();
        if let Some(other) = given.get("variant").filter(|name| name.as_str() != Some(variant.name())) {
            return Err(Error::setting("variant", format!("{}, as the model began", variant.name()), other));
        }
        let (mut common, mut own) = (toml::Table::new(), self.own.clone());
        for (name, value) in given.iter().filter(|(name, _)| *name != "variant") {
            let has = |settings: &[Setting]| settings.iter().any(|setting| setting.name == name);
            if has(COMMON) {
                common.insert(name.clone(), value.clone());
            } else if has(variant.settings()) {
                own.insert(name.clone(), value.clone());
            } else {
                let known: Vec<&str> =
                    COMMON.iter().chain(variant.settings()).map(|known| known.name).collect();
                let place = format!("setting of the variant {}", variant.name());
                return Err(unknown(&place, name, &known, registry.owners(name)));
            }
        }
        let common = overlaid("model", &self.common, &common)?;
        let own = variant.dynamic.filled(&own, given)?;
        Ok(Self { variant, common, own })
    }

    /// The variant's own settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for the settings of another variant.
    pub fn settings<S: Settings>(&self) -> Result<S> {
        read("model", self.own.clone())
    }

    /// Sets one setting, of its variant or of every model, by its name in files.
    ///
    /// # Errors
    /// As [`ModelConfig::overlaid`].
    pub fn set(&mut self, name: &str, value: impl Into<toml::Value>) -> Result<()> {
        let given = toml::Table::from_iter([(name.to_owned(), value.into())]);
        *self = self.overlaid(&Registry::built_in(), &given)?;
        Ok(())
    }

    /// The setting `classes` of its variant: what a conditional model is told of, 0 where that is not counted yet; None
    /// where the model is told of none.
    pub fn classes(&self) -> Option<u32> {
        self.own.get("classes").and_then(toml::Value::as_integer).and_then(|count| u32::try_from(count).ok())
    }

    /// The same of so many classes, where it is told of them.
    ///
    /// # Errors
    /// [`Error::Setting`] where the setting says another number.
    pub fn with_classes(mut self, classes: u32) -> Result<Self> {
        match self.classes() {
            None => Ok(self),
            Some(said) if said == classes || said == 0 => {
                self.own.insert("classes".to_owned(), classes.into());
                Ok(self)
            }
            Some(said) => Err(Error::setting("classes", format!("the {classes} of the data, or 0"), said)),
        }
    }

    /// Refuses settings that no model with a Gaussian code can have: its encoder gives twice as many numbers as its
    /// decoder takes.
    pub fn check_gaussian_code(&self) -> Result<()> {
        if self.tied {
            let expected =
                "false for a Gaussian code, whose encoder gives twice as much as its decoder takes";
            return Err(Error::setting("tied", expected, true));
        }
        if self.code_activation != Activation::Identity {
            let expected = "identity for a Gaussian code, whose mu and logvar may be any number";
            return Err(Error::setting("code_activation", expected, self.code_activation));
        }
        Ok(())
    }

    /// Refuses settings that make no sense together.
    pub fn check(&self) -> Result<()> {
        check_applicable("model", &self.common)?;
        self.common.check()?;
        self.variant.dynamic.check(self)
    }
}
