//! What a new run begins with: weights that the seed draws, or what another model learned.

use std::path::Path;

use super::{Found, Kept};
use crate::model::{InitScheme, Registry};
use crate::train::{Checkpoint, StateDict, Trainer};
use crate::{Error, Result};

/// What a new run begins with.
#[derive(Clone, Copy, Debug)]
pub enum Beginning<'a> {
    /// First values drawn from the seed.
    Seed,
    /// The parameters of another run, by its name for people.
    Parameters(&'a Checkpoint, &'a str),
    /// The parameters of a state dict of PyTorch, by its file's name.
    StateDict(&'a StateDict, &'a str),
    /// All of another run, from which it goes on with other settings of training.
    Fork(&'a Checkpoint, &'a str),
}

impl Beginning<'_> {
    /// Gives a trainer what it begins with. Before the first step.
    ///
    /// # Errors
    /// [`Error::Setting`] where nothing fits it.
    pub async fn begin(&self, trainer: &mut Trainer) -> Result<()> {
        match self {
            Self::Seed => Ok(()),
            Self::Parameters(other, name) => trainer.begin_with(other, name).await,
            Self::StateDict(dict, name) => trainer.begin_with_state_dict(dict, name).await,
            Self::Fork(other, name) => trainer.fork(other, name).await,
        }
    }
}

/// A trained model that lends its parameters to a new run.
#[derive(Clone, Debug)]
pub enum Parent {
    /// A run's checkpoint.
    Run(Box<Checkpoint>),
    /// A state dict of PyTorch.
    Dict(StateDict),
}

impl Parent {
    /// Takes out of the settings of a model the place that `init` names where that is no scheme.
    ///
    /// # Errors
    /// [`Error::Setting`] for what is neither a scheme nor a place that exists.
    pub fn named_in(model: &mut toml::Table) -> Result<Option<String>> {
        let is_scheme = |value: &toml::Value| value.clone().try_into::<InitScheme>().is_ok();
        let other = model.get("init").filter(|value| !is_scheme(value));
        let Some(other) = other.and_then(toml::Value::as_str).map(str::to_owned) else { return Ok(None) };
        if !Path::new(&other).exists() {
            let expected =
                "glorot-uniform, he-uniform, or a run's folder, a checkpoint or a state dict that exists";
            return Err(Error::setting("--init", expected, other));
        }
        model.remove("init");
        Ok(Some(other))
    }

    /// What a run's folder, a checkpoint's file or a state dict's file holds, and a remark where it is another checkpoint
    /// than what is taken as a rule. `from`: which of a run's checkpoints.
    ///
    /// # Errors
    /// As [`Checkpoint::find`] and [`StateDict::find`].
    pub fn find(registry: &Registry, place: &Path, from: Option<Kept>) -> Result<(Self, Option<String>)> {
        let dict = if place.is_file() && from.is_none() { StateDict::find(place)? } else { None };
        if let Some(dict) = dict {
            return Ok((Self::Dict(dict), None));
        }
        let Found { checkpoint, remark } = Checkpoint::find(registry, place, from)?;
        Ok((Self::Run(Box::new(checkpoint)), remark))
    }

    /// The beginning of a run with it, by its name for people.
    pub const fn beginning<'a>(&'a self, name: &'a str) -> Beginning<'a> {
        match self {
            Self::Run(other) => Beginning::Parameters(other, name),
            Self::Dict(dict) => Beginning::StateDict(dict, name),
        }
    }
}
