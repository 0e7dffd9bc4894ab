//! Checkpoints: everything a run needs to go on bit for bit.

use std::path::Path;

use super::trainer::{DataMark, EpochState};
use super::{Config, Trainer};
use crate::data::Dataset;
use crate::graph::{Parameter, ParameterLayout};
use crate::kernels::state::State;
use crate::model::Model;
use crate::{Error, Result};

/// A trained, or half-trained, model.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// The run's configuration.
    pub config: Config,
    /// Height, width and channels of its images.
    pub shape: [usize; 3],
    /// The matrix-product variant it was trained with; None on the CPU reference.
    pub matmul: Option<String>,
    /// The flat parameter buffer.
    pub parameters: Vec<f32>,
    /// The flat buffer of running statistics; empty where the model has none.
    pub statistics: Vec<f32>,
    /// The optimizer's flat moment buffers, by name.
    pub moments: Vec<(String, Vec<f32>)>,
    /// The mean training image `[pixels]`, where the model subtracts it.
    pub center: Option<Vec<f32>>,
    pub(super) state: State,
    pub(super) progress: EpochState,
    pub(super) data: DataMark,
}

/// A parameter by name, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// `encoder.0.weight`
    pub name: String,
    /// `[out_features, in_features]`, `[out_features]`, ...
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Vec<f32>,
}

impl Trainer {
    /// Everything that is needed to go on from here.
    ///
    /// # Errors
    /// [`Error::DeviceLost`]; [`Error::NotFinite`] where a step left a parameter or moment that is not, so
    /// that what is saved is always good.
    pub async fn checkpoint(&self) -> Result<Checkpoint> {
        let parameters = self.replay.read_floats("parameters").await?;
        self.check_finite("a parameter", &parameters)?;
        let statistics = self.replay.read_statistics().await?;
        self.check_finite("a running statistic", &statistics)?;
        let mut moments = Vec::new();
        for name in self.config.train.optimizer().moments() {
            let values = self.replay.read_floats(name).await?;
            self.check_finite("a moment of the optimizer", &values)?;
            moments.push(((*name).to_owned(), values));
        }
        Ok(Checkpoint {
            config: self.config.clone(),
            shape: self.shape,
            matmul: self.device().variants().map(|variants| variants.matmul.to_string()),
            parameters,
            statistics,
            moments,
            center: self.center.clone(),
            state: self.replay.read_state().await?,
            progress: self.progress,
            data: self.data,
        })
    }

    fn check_finite(&self, what: &'static str, values: &[f32]) -> Result<()> {
        match values.iter().find(|value| !value.is_finite()) {
            None => Ok(()),
            Some(value) => Err(self.not_finite(what, *value)),
        }
    }

    /// Goes on where `checkpoint` left off: from there the numbers are those of an uninterrupted run.
    ///
    /// # Errors
    /// [`Error::Setting`] where it is of another configuration, but for the data's place and, with a learning rate
    /// that does not fall over them, the number of epochs; or of other images.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let mut expected = self.config.clone();
        checkpoint.config.train.check_epochs(expected.train.epochs)?;
        expected.train.epochs = checkpoint.config.train.epochs;
        expected.data = checkpoint.config.data.clone();
        if checkpoint.config != expected {
            let got = format!("one of a {} trained otherwise", checkpoint.config.model.variant);
            return Err(Error::setting("checkpoint", "one of this model and these settings", got));
        }
        if checkpoint.data != self.data || checkpoint.shape != self.shape {
            let expected = format!("{}, as the run was trained on", checkpoint.data);
            return Err(Error::setting("training images", expected, self.data));
        }
        self.replay.write_trained(&checkpoint.parameters, &checkpoint.statistics)?;
        for (name, values) in &checkpoint.moments {
            self.replay.write_floats(name, values)?;
        }
        self.replay.write_state(&checkpoint.state)?;
        self.progress = checkpoint.progress;
        Ok(())
    }
}

impl Checkpoint {
    /// Reads the checkpoint at `path` or, where that is a run's folder, its best one.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn find(path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Self::load(path);
        }
        let best = path.join(BEST);
        if best.exists() { Self::load(&best) } else { Self::last(path) }
    }

    /// Reads the checkpoint that the run in `folder` goes on from.
    ///
    /// # Errors
    /// [`Error::File`] where the folder holds none, and as [`Checkpoint::load`].
    pub fn last(folder: &Path) -> Result<Self> {
        let last = folder.join(LAST);
        if !last.exists() {
            let expected = format!("a run's folder, with {LAST}");
            let found = if folder.is_dir() { "a folder without it" } else { "no such folder" };
            return Err(Error::File { path: folder.to_owned(), expected, found: found.to_owned() });
        }
        Self::load(&last)
    }

    /// The model it holds the parameters of.
    ///
    /// # Errors
    /// [`Error::Setting`] where its configuration makes no sense.
    pub fn model(&self) -> Result<Model> {
        Model::new(&self.config.model, self.shape.try_into()?)
    }

    /// Epochs completed.
    pub fn epoch(&self) -> u32 {
        self.progress.epoch
    }

    /// Steps completed.
    pub fn step(&self) -> u64 {
        self.progress.step
    }

    // Of parameters and of statistics.
    pub(super) fn layouts(&self) -> Result<[ParameterLayout; 2]> {
        let plan = self.model()?.decoding(1)?;
        Ok([plan.parameters, plan.statistics])
    }

    /// The parameters, in order.
    ///
    /// # Errors
    /// [`Error::Setting`] where its configuration makes no sense.
    pub fn named(&self) -> Result<Vec<NamedTensor>> {
        let [layout, _] = self.layouts()?;
        let named = |parameter: &Parameter| NamedTensor {
            name: parameter.name.clone(),
            shape: parameter.shape.clone(),
            values: layout.view(parameter, &self.parameters).to_vec(),
        };
        Ok(layout.iter().map(named).collect())
    }

    /// Whether `data` has images of the size the model was trained on.
    ///
    /// # Errors
    /// [`Error::Shape`] where it has not.
    pub fn check_images(&self, data: &Dataset) -> Result<()> {
        let size =
            |[height, width, channels]: [usize; 3]| format!("images of {height} x {width} x {channels}");
        let got = data.shape();
        if got == self.shape {
            return Ok(());
        }
        let expected = format!("{}, as in training", size(self.shape));
        Err(Error::shape(format!("data set {}", data.name), expected, size(got)))
    }
}

/// The checkpoint that a run goes on from.
pub(super) const LAST: &str = "last.safetensors";
/// The checkpoint of the epoch that ranked best.
pub(super) const BEST: &str = "best.safetensors";
