//! What a variant is: a name, settings and presets of its own, the networks it declares, and its step.

use std::fmt;
use std::sync::Arc;

use super::sections::{keep_applicable, read, refusal};
use super::{Declare, Described, ModelConfig, Network, Setting, Settings, Step};
use crate::graph::{Batch, GaussianCode, Graph, Tensor};
use crate::{Error, Result};

/// A kind of autoencoder, as anyone can make it: a screenful that reads like its formula.
///
/// It holds nothing: what it learns is declared in a graph, and its options are its settings.
pub trait Variant: Send + Sync + 'static {
    /// The name in options and files.
    const NAME: &'static str;
    /// One line for help texts.
    const SUMMARY: &'static str;
    /// Its presets; the first has the variant's own name.
    const PRESETS: &'static [Preset];
    /// The settings that it has in addition to those of every model.
    type Settings: Settings;
    /// Its networks, declared in a graph.
    type Model: Autoencoder + 'static;

    /// Refuses settings of every model that it does not take.
    fn check(&self, model: &ModelConfig) -> Result<()> {
        let _ = model;
        Ok(())
    }

    /// Declares all that it learns. Every plan of a model calls it, so that all of them agree on where each parameter is.
    ///
    /// # Errors
    /// [`Error::Setting`] where layers do not fit the images or each other.
    fn declare(&self, settings: Self::Settings, declare: &mut Declare<'_>) -> Result<Self::Model>;
}

/// An autoencoder in a graph: how it is trained, and what it can do once it is trained.
///
/// Every method fails with [`Error::Shape`] where the networks do not fit the images.
pub trait Autoencoder {
    /// Its encoder, decoder and likelihood, which codes and reconstructions come from.
    fn network(&self) -> &Network;

    /// What training minimizes and an evaluation reports: the encoder reads `seen`, the likelihood judges by `clean`.
    /// Parameters that the step itself declares are trained and saved as the others are, but no other plan has them.
    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()>;

    /// The distribution q(z given x) of the codes of images x; None where codes are points. Here and below `classes` are
    /// those of [`Batch::classes`]: None unless the network is [conditional](Network::classes).
    fn posterior(
        &self,
        graph: &mut Graph,
        x: Tensor,
        classes: Option<Tensor>,
    ) -> Result<Option<GaussianCode>> {
        self.network().posterior(graph, x, classes)
    }

    /// The code of images x without noise, `[batch, latent]`: the mean of a posterior, or what the encoder gives.
    fn code(&self, graph: &mut Graph, x: Tensor, classes: Option<Tensor>) -> Result<Tensor> {
        match self.posterior(graph, x, classes)? {
            Some(posterior) => graph.code_mean(posterior),
            None => self.network().encode(graph, x, classes),
        }
    }

    /// The mean image `[batch, pixels]` of codes `[batch, latent]`.
    fn decode(&self, graph: &mut Graph, code: Tensor, classes: Option<Tensor>) -> Result<Tensor> {
        let output = self.network().decode(graph, code, classes)?;
        self.network().likelihood.mean(graph, output)
    }

    /// What codes can be drawn from; None where that is unknown. Of a Gaussian code it is a standard normal.
    fn prior(&self) -> Option<Prior> {
        self.network().gaussian_code.then_some(Prior::StandardNormal)
    }
}

/// The distribution of the codes that a decoder was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prior {
    /// Each number is a standard normal, independent of the others.
    StandardNormal,
}

/// A named set of settings. Files and flags change single ones. One with a `stack` in place of layers fits images of any
/// size, by [`ModelConfig::fitted_to`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name on the command line and in files.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// TOML texts with sections `[model]`, `[train]` and `[data]`: each overrides the one before, the first the defaults.
    pub toml: &'static [&'static str],
}

impl Preset {
    /// A preset of these texts.
    pub const fn new(name: &'static str, summary: &'static str, toml: &'static [&'static str]) -> Self {
        Self { name, summary, toml }
    }
}

/// What a registry calls of a variant, whatever the type of its settings.
pub(super) trait AnyVariant: Send + Sync {
    /// All of its settings that apply, the defaults where `own` has none; `given` are those that must.
    fn filled(&self, own: &toml::Table, given: &toml::Table) -> Result<toml::Table>;
    fn check(&self, model: &ModelConfig) -> Result<()>;
    fn declare(&self, declare: &mut Declare<'_>) -> Result<Box<dyn Autoencoder>>;
}

impl<V: Variant> AnyVariant for V {
    fn filled(&self, own: &toml::Table, given: &toml::Table) -> Result<toml::Table> {
        let settings: V::Settings = read("model", own.clone())?;
        // Through text, which has the shortest form of each number.
        let text = toml::to_string(&settings);
        let text = text.map_err(|error| Error::setting("model", "what TOML can hold", error))?;
        let mut filled: toml::Table = text.parse().map_err(|error| refusal("model", &error))?;
        keep_applicable::<V::Settings>(&mut filled, given)?;
        Ok(filled)
    }

    fn check(&self, model: &ModelConfig) -> Result<()> {
        Variant::check(self, model)?;
        model.settings::<V::Settings>()?.check(model)
    }

    fn declare(&self, declare: &mut Declare<'_>) -> Result<Box<dyn Autoencoder>> {
        Ok(Box::new(Variant::declare(self, declare.config().settings()?, declare)?))
    }
}

/// A variant of a registry: equal to another where the names are.
#[derive(Clone)]
pub struct VariantRef {
    name: &'static str,
    summary: &'static str,
    presets: &'static [Preset],
    settings: &'static [Setting],
    pub(super) dynamic: Arc<dyn AnyVariant>,
}

impl VariantRef {
    pub(super) fn new<V: Variant>(variant: V) -> Self {
        let (name, summary, presets) = (V::NAME, V::SUMMARY, V::PRESETS);
        Self { name, summary, presets, settings: V::Settings::DESCRIBED, dynamic: Arc::new(variant) }
    }

    /// The name in options and files.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// One line for help texts.
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// Its presets; the first has the variant's own name.
    pub fn presets(&self) -> &'static [Preset] {
        self.presets
    }

    /// The settings that it has in addition to those of every model.
    pub fn settings(&self) -> &'static [Setting] {
        self.settings
    }
}

impl fmt::Debug for VariantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for VariantRef {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl serde::Serialize for VariantRef {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}
