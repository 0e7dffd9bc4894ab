//! What a variant is: a name, settings and presets of its own, the networks it declares, and its step.

use std::fmt;
use std::sync::Arc;

use super::settings::{Setting, keep_applicable, refusal};
use super::{Declare, ModelConfig, Network, Settings, Step};
use crate::graph::{Batch, GaussianCode, Graph, Tensor};
use crate::{Error, Result};

/// One kind of autoencoder, as anyone can make it: a screenful that reads like its formula.
///
/// It holds nothing: what is learned is declared in a graph, what is set stands in its settings.
pub trait Variant: Send + Sync + 'static {
    /// The settings that it has beside those of every model.
    type Settings: Settings;
    /// Its networks, declared in a graph.
    type Model: Autoencoder + 'static;

    /// The name in options and files.
    fn name(&self) -> &'static str;

    /// One line for help texts.
    fn summary(&self) -> &'static str;

    /// Its set-ups; the first has the variant's own name.
    fn presets(&self) -> Vec<Preset>;

    /// Whether the model's settings are ones that it takes.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that is not.
    fn check(&self, model: &ModelConfig) -> Result<()> {
        let _ = model;
        Ok(())
    }

    /// Declares all that it learns. It is called in every plan alike, so that all plans of a model agree on where each
    /// parameter is.
    ///
    /// # Errors
    /// [`Error::Setting`] where layers do not fit the images or each other.
    fn declare(&self, settings: Self::Settings, declare: &mut Declare<'_>) -> Result<Self::Model>;
}

/// An autoencoder in a graph: how it is trained, and what can be done with it afterwards.
pub trait Autoencoder {
    /// Its encoder, decoder and likelihood, which codes and reconstructions come from.
    fn network(&self) -> &Network;

    /// What training does, and what an evaluation reads: `seen` is encoded, `clean` is explained. Parameters that it
    /// declares itself are trained and saved as the others are, but no other plan of the model has them.
    ///
    /// # Errors
    /// [`Error::Shape`] where the networks do not fit the images.
    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()>;

    /// The code of images x without noise, `[batch, latent]`: E[z given x].
    ///
    /// # Errors
    /// As [`Autoencoder::step`].
    fn code(&self, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
        self.network().encoder.record(graph, x)
    }

    /// The mean image `[batch, pixels]` of codes `[batch, latent]`.
    ///
    /// # Errors
    /// As [`Autoencoder::step`].
    fn decode(&self, graph: &mut Graph, code: Tensor) -> Result<Tensor> {
        let output = self.network().decoder.record(graph, code)?;
        self.network().likelihood.mean(graph, output)
    }

    /// The distribution q(z given x) of images x; None where codes are points.
    ///
    /// # Errors
    /// As [`Autoencoder::step`].
    fn posterior(&self, graph: &mut Graph, x: Tensor) -> Result<Option<GaussianCode>> {
        let _ = (graph, x);
        Ok(None)
    }

    /// What codes can be drawn from to be decoded; None where nothing is known of it.
    fn prior(&self) -> Option<Prior> {
        None
    }
}

/// The distribution of the codes that a decoder was trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prior {
    /// Each number is a standard normal by itself.
    StandardNormal,
}

/// A named set-up: TOML texts, each laid over the one before and the first over the defaults. Flags and files say what
/// is otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The name on the command line and in files.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// Sections `[model]`, `[train]` and `[data]`.
    pub toml: Vec<&'static str>,
}

impl Preset {
    /// A set-up of these texts.
    pub fn new(name: &'static str, summary: &'static str, toml: &[&'static str]) -> Self {
        Self { name, summary, toml: toml.to_vec() }
    }
}

/// A variant whatever its settings are: what a registry holds.
pub(crate) trait AnyVariant: Send + Sync {
    fn name(&self) -> &'static str;
    fn summary(&self) -> &'static str;
    fn presets(&self) -> Vec<Preset>;
    fn described(&self) -> &'static [Setting];
    /// All of its settings that apply, the defaults where `own` has none; `given` are those that must.
    fn filled(&self, own: &toml::Table, given: &toml::Table) -> Result<toml::Table>;
    fn check(&self, model: &ModelConfig) -> Result<()>;
    fn declare(&self, declare: &mut Declare<'_>) -> Result<Box<dyn Autoencoder>>;
}

impl<V: Variant> AnyVariant for V {
    fn name(&self) -> &'static str {
        Variant::name(self)
    }

    fn summary(&self) -> &'static str {
        Variant::summary(self)
    }

    fn presets(&self) -> Vec<Preset> {
        Variant::presets(self)
    }

    fn described(&self) -> &'static [Setting] {
        V::Settings::DESCRIBED
    }

    fn filled(&self, own: &toml::Table, given: &toml::Table) -> Result<toml::Table> {
        let settings: V::Settings = read_settings(own)?;
        // Through text, which has the shortest form of each number.
        let text = toml::to_string(&settings);
        let text = text.map_err(|error| Error::setting("model", "what TOML can hold", error))?;
        let mut filled: toml::Table =
            text.parse().map_err(|error: toml::de::Error| refusal("model", &error))?;
        keep_applicable(V::Settings::DESCRIBED, &mut filled, given)?;
        Ok(filled)
    }

    fn check(&self, model: &ModelConfig) -> Result<()> {
        Variant::check(self, model)?;
        read_settings::<V::Settings>(&model.own)?.check(model)
    }

    fn declare(&self, declare: &mut Declare<'_>) -> Result<Box<dyn Autoencoder>> {
        let settings = read_settings(&declare.config().own)?;
        Ok(Box::new(Variant::declare(self, settings, declare)?))
    }
}

pub(super) fn read_settings<S: Settings>(own: &toml::Table) -> Result<S> {
    own.clone().try_into().map_err(|error: toml::de::Error| refusal("model", &error))
}

/// A variant by its name, with all that it can do.
#[derive(Clone)]
pub struct VariantRef(pub(crate) Arc<dyn AnyVariant>);

impl VariantRef {
    pub(super) fn new(variant: impl Variant) -> Self {
        Self(Arc::new(variant))
    }

    /// The name in options and files.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// One line for help texts.
    pub fn summary(&self) -> &'static str {
        self.0.summary()
    }

    /// Its set-ups; the first has the variant's own name.
    pub fn presets(&self) -> Vec<Preset> {
        self.0.presets()
    }

    /// The settings that it has beside those of every model.
    pub fn settings(&self) -> &'static [Setting] {
        self.0.described()
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
