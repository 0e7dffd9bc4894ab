//! The variants: the built-in ones, and those that a caller adds.

use super::variant::{Preset, Variant, VariantRef};
use super::{COMMON, Setting};
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

    /// One variant alone.
    pub fn of(variant: &VariantRef) -> Self {
        Self { variants: vec![variant.clone()] }
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

    /// Refuses a name that stands for two things: two presets, or a variant's setting and one of every model or of
    /// `others`. The first preset of a variant must have the variant's name.
    pub(crate) fn check(&self, others: &[Setting]) -> Result<()> {
        let presets: Vec<&str> = self.presets().map(|(_, preset)| preset.name).collect();
        let is_taken =
            |name: &str| name == "variant" || COMMON.iter().chain(others).any(|setting| setting.name == name);
        // Those of a caller come last.
        for variant in self.variants.iter().rev() {
            let refuse = |what: &str, expected: &str, got: &str| {
                Err(Error::setting(format!("{what} of the variant {}", variant.name()), expected, got))
            };
            let mut names = variant.presets().iter().map(|preset| preset.name);
            let first = names.clone().next().unwrap_or("none");
            if first != variant.name() {
                return refuse("first preset", "one with the variant's name", first);
            }
            if let Some(name) = names.find(|name| presets.iter().filter(|other| **other == *name).count() > 1)
            {
                return refuse("preset", "a name that no other preset has", name);
            }
            if let Some(setting) = variant.settings().iter().find(|setting| is_taken(setting.name)) {
                return refuse(
                    "setting",
                    "a name that no setting of models or of training has",
                    setting.name,
                );
            }
        }
        Ok(())
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
