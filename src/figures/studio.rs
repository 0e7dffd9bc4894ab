//! Where models are trained for figures: each once, kept in a folder, taken from there the next time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Settings;
use crate::data::{Dataset, Split};
use crate::graph::Device;
use crate::infer::{Decoder, Reconstructions, Reconstructor};
use crate::model::Registry;
use crate::run::{METRICS, Run, RunEvent, read_metrics};
use crate::train::{Checkpoint, Config, EpochReport, Evaluator, Progress, TermMeans};
use crate::{Error, Result};

/// What the watcher of a studio is told.
#[derive(Debug)]
pub enum News<'a> {
    /// A model is about to be trained, or goes on from an earlier invocation, for so many epochs.
    Training(&'a str, u32),
    /// A model is there from an earlier invocation, in this folder.
    Reused(&'a str, &'a Path),
    /// Some steps of a model are done.
    Progress(&'a str, &'a Progress),
    /// An epoch of a model is done.
    Epoch(&'a str, &'a EpochReport),
    /// Something else that takes a while.
    Busy(&'a str),
}

/// A trained model, ready to be used.
#[derive(Clone, Debug)]
pub struct Trained {
    /// What figures call it.
    pub name: String,
    /// Its parameters after the last epoch.
    pub checkpoint: Checkpoint,
    /// Numbers in a code.
    pub latent: usize,
    /// Seconds its training took, whenever that was.
    pub seconds: f64,
    /// Means of its terms over the validation images after the last epoch.
    pub means: TermMeans,
    /// The images it was trained on, in words.
    pub images: String,
    /// Its run's folder.
    pub folder: PathBuf,
}

/// Device, images and models that figures share.
pub struct Studio<'a> {
    /// The device.
    pub device: &'a Device,
    /// What they share besides.
    pub settings: Settings,
    /// The images of `settings.data`.
    pub split: Arc<Split>,
    folder: PathBuf,
    trained: BTreeMap<PathBuf, Trained>,
    watch: &'a mut dyn FnMut(News<'_>) -> bool,
}

impl<'a> Studio<'a> {
    /// A studio with the images of `settings.data` that keeps its runs in `folder`. `watch` sees what happens and
    /// returns whether to go on.
    pub fn new(
        device: &'a Device,
        settings: Settings,
        split: Split,
        folder: &Path,
        watch: &'a mut dyn FnMut(News<'_>) -> bool,
    ) -> Self {
        let (split, folder) = (Arc::new(split), folder.to_owned());
        Self { device, settings, split, folder, trained: BTreeMap::new(), watch }
    }

    /// The model of a configuration, on the images of these settings, trained to its last epoch: in this invocation, in an earlier
    /// one, or now. An interrupted training goes on.
    ///
    /// # Errors
    /// [`Error::Stopped`] where the watcher said so, and as [`Run::train`].
    pub async fn model(&mut self, name: &str, config: &Config) -> Result<Trained> {
        let split = Arc::clone(&self.split);
        self.model_on(name, config, &split).await
    }

    /// The same on other images.
    ///
    /// # Errors
    /// As [`Studio::model`].
    pub async fn model_on(&mut self, name: &str, config: &Config, split: &Split) -> Result<Trained> {
        let mut config = config.clone();
        // Few images may be less than a batch.
        config.train.batch =
            u32::try_from(split.train.len()).map_or(config.train.batch, |all| all.min(config.train.batch));
        let config = &config;
        let variant = config.model.variant.name();
        let folder = self.folder.join(format!("{variant}-{:08x}", mark(config, split)?));
        if let Some(trained) = self.trained.get(&folder) {
            return Ok(trained.clone());
        }
        self.train(name, config, split, &folder).await?;
        let checkpoint = Checkpoint::last(&Registry::built_in(), &folder)?;
        let means = means(self.device, &checkpoint, split.held_out()).await?;
        let (latent, seconds) = (checkpoint.model()?.latent() as usize, seconds(&folder)?);
        let Split { train, validation, .. } = split;
        let images =
            format!("{}: {} images to train on, {} to validate", train.name, train.len(), validation.len());
        let (name, place) = (name.to_owned(), folder.clone());
        let trained = Trained { name, checkpoint, latent, seconds, means, images, folder: place };
        self.trained.insert(folder, trained.clone());
        Ok(trained)
    }

    async fn train(&mut self, name: &str, config: &Config, split: &Split, folder: &Path) -> Result<()> {
        let mut run = if Run::check_new(folder).is_ok() {
            Run::create(folder, self.device, config, split).await?
        } else {
            let checkpoint = Checkpoint::last(&Registry::built_in(), folder)?;
            if checkpoint.epoch() >= config.train.epochs {
                return self.tell(News::Reused(name, folder));
            }
            Run::resume(folder, self.device, &checkpoint, config, split).await?
        };
        self.tell(News::Training(name, config.train.epochs))?;
        let watch = &mut self.watch;
        run.train(&mut |event| match event {
            RunEvent::Progress(progress) => watch(News::Progress(name, progress)),
            RunEvent::Epoch(report) => watch(News::Epoch(name, report)),
        })
        .await
    }

    /// Tells the watcher.
    ///
    /// # Errors
    /// [`Error::Stopped`] where it says so.
    pub fn tell(&mut self, news: News<'_>) -> Result<()> {
        if (self.watch)(news) { Ok(()) } else { Err(Error::Stopped) }
    }

    /// Codes and reconstructions of images, without noise.
    ///
    /// # Errors
    /// As [`Reconstructor::run`].
    pub async fn reconstruct(&self, trained: &Trained, images: &Dataset) -> Result<Reconstructions> {
        Reconstructor::new(self.device, &trained.checkpoint, images).await?.run().await
    }

    /// The same of images that are corrupted as in training.
    ///
    /// # Errors
    /// Also [`Error::Setting`] for a model that was trained without corruption.
    pub async fn denoise(&self, trained: &Trained, images: &Dataset) -> Result<Reconstructions> {
        Reconstructor::corrupted(self.device, &trained.checkpoint, images).await?.run().await
    }

    /// The mean images of codes.
    ///
    /// # Errors
    /// As [`Decoder::decode`].
    pub async fn decode(&self, trained: &Trained, codes: &[f32]) -> Result<Vec<f32>> {
        Decoder::new(self.device, &trained.checkpoint, 256).await?.decode(codes).await
    }

    /// The images that figures show and judge by: the validation images, or the training images where there are
    /// none.
    pub fn held_out(&self) -> &Dataset {
        self.split.held_out()
    }
}

/// Means of a model's terms over images.
async fn means(device: &Device, checkpoint: &Checkpoint, images: &Dataset) -> Result<TermMeans> {
    let (model, center) = (checkpoint.model()?, checkpoint.center.as_deref());
    let seed = checkpoint.config.train.seed;
    let mut evaluator = Evaluator::new(device, &model, images, center, seed).await?;
    evaluator.evaluate_checkpoint(checkpoint).await
}

// What tells one training from another: its settings and its images.
fn mark(config: &Config, split: &Split) -> Result<u32> {
    let mut crc = flate2::Crc::new();
    crc.update(config.to_toml()?.as_bytes());
    crc.update(&split.train.checksum().to_le_bytes());
    Ok(crc.sum())
}

fn seconds(folder: &Path) -> Result<f64> {
    Ok(read_metrics(&folder.join(METRICS))?.iter().map(|line| line.seconds).sum())
}
