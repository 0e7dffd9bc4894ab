//! The variants: the built-in ones, and those that a caller adds.

use super::variant::{Preset, Variant, VariantRef};
use super::{adversarial, cnn, contractive, denoising, iwae, linear, mlp, sparse, vae};
use crate::{Error, Result};

/// Variants by name. Tests, help texts and the command line walk it.
#[derive(Clone, Debug)]
pub struct Registry {
    variants: Vec<VariantRef>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Registry {
    /// The built-in variants.
    pub fn built_in() -> Self {
        Self { variants: Vec::new() }
            .with(linear::Linear)
            .with(mlp::Mlp)
            .with(cnn::Cnn)
            .with(denoising::Denoising)
            .with(contractive::Contractive)
            .with(sparse::Sparse)
            .with(vae::Vae)
            .with(iwae::Iwae)
            .with(adversarial::Adversarial)
    }

    /// Adds a variant, in place of one of the same name.
    pub fn with(mut self, variant: impl Variant) -> Self {
        let variant = VariantRef::new(variant);
        self.variants.retain(|known| *known != variant);
        self.variants.push(variant);
        self
    }

    /// All of them.
    pub fn variants(&self) -> &[VariantRef] {
        &self.variants
    }

    /// The variant called `name`.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the names there are.
    pub fn variant(&self, name: &str) -> Result<&VariantRef> {
        let named = self.variants.iter().find(|variant| variant.name() == name);
        named.ok_or_else(|| one_of("model.variant", self.variants.iter().map(VariantRef::name), name))
    }

    /// The preset called `name`, with its variant.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the names there are.
    pub fn preset(&self, name: &str) -> Result<(&VariantRef, Preset)> {
        let named = self.presets().find(|(_, preset)| preset.name == name);
        named.ok_or_else(|| one_of("preset", self.presets().map(|(_, preset)| preset.name), name))
    }

    /// Which variants have a setting of this name, in words; None where none has.
    pub(crate) fn owners(&self, setting: &str) -> Option<String> {
        let has = |variant: &&VariantRef| variant.settings().iter().any(|known| known.name == setting);
        let owners: Vec<&str> = self.variants.iter().filter(has).map(VariantRef::name).collect();
        (!owners.is_empty()).then(|| format!("{setting} is one of {}", owners.join(", ")))
    }

    /// Every preset of every variant.
    pub fn presets(&self) -> impl Iterator<Item = (&VariantRef, Preset)> {
        self.variants
            .iter()
            .flat_map(|variant| variant.presets().iter().map(move |preset| (variant, *preset)))
    }
}

// The refusal of a name that is none of these.
fn one_of<'a>(setting: &str, names: impl Iterator<Item = &'a str>, got: &str) -> Error {
    Error::setting(setting, format!("one of {}", names.collect::<Vec<_>>().join(", ")), got)
}
