//! What figures share: device, images, and models. Each model is trained once, kept in a folder, and read from there
//! the next time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Number, Settings};
use crate::data::{Dataset, Split};
use crate::graph::Device;
use crate::infer::{Decoder, Reconstructions, Reconstructor};
use crate::model::Registry;
use crate::run::{METRICS, Run, RunEvent, RunLock, read_metrics};
use crate::train::{Checkpoint, Config, Evaluator, TermMeans};
use crate::{Error, Result};

/// What happens while figures are made.
#[derive(Debug)]
pub enum Event<'a> {
    /// The training of a model begins or resumes: its name and number of epochs.
    Training(&'a str, u32),
    /// A model was trained before: its name and folder.
    Reused(&'a str, &'a Path),
    /// What the run of a model tells.
    Run(&'a str, &'a RunEvent<'a>),
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

impl Trained {
    /// A number of this model, named after it.
    pub(super) fn number(&self, name: &str, what: &str, value: f64) -> Number {
        let letter = |letter: char| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
        let key: String = self.name.chars().map(letter).collect();
        Number::new(format!("{key}.{name}"), format!("{}: {what}", self.name), value)
    }

    /// The reconstruction loss on the validation images as it is published: without penalty, mean per pixel.
    pub(super) fn per_pixel(&self) -> Number {
        let pixels: usize = self.checkpoint.shape.iter().product();
        let reconstruction = self.means.reconstruction();
        let (unit, value) = reconstruction.map_or(("", f64::NAN), |(term, value)| (&*term.unit, value));
        let what = format!("reconstruction on the validation images, {unit}, mean per pixel");
        self.number("validation_per_pixel", &what, value / pixels as f64)
    }

    /// The weight of a dense layer, which must have this shape.
    pub(super) fn weight(&self, name: &str, shape: [usize; 2]) -> Result<&[f32]> {
        let weight = self.checkpoint.slots.get(name).filter(|(found, _)| *found == shape);
        let (_, weight) = weight.ok_or_else(|| {
            Error::shape(&self.name, format!("{name} {shape:?}"), "no parameter of that name and shape")
        })?;
        Ok(weight)
    }
}

/// What figures share.
pub struct FigureContext<'a> {
    /// The device.
    pub device: &'a Device,
    /// The settings of all figures.
    pub settings: Settings,
    /// The images of `settings.data`.
    pub split: Arc<Split>,
    folder: PathBuf,
    trained: BTreeMap<PathBuf, Trained>,
    watch: &'a mut dyn FnMut(Event<'_>) -> bool,
}

impl<'a> FigureContext<'a> {
    /// A context with the images of `settings.data` that keeps its runs in `folder`. `watch` sees what happens and
    /// returns whether to continue.
    pub fn new(
        device: &'a Device,
        settings: Settings,
        split: Split,
        folder: &Path,
        watch: &'a mut dyn FnMut(Event<'_>) -> bool,
    ) -> Self {
        let (split, folder) = (Arc::new(split), folder.to_owned());
        Self { device, settings, split, folder, trained: BTreeMap::new(), watch }
    }

    /// The model of a preset, as [`Settings::preset`] has it.
    pub(super) async fn preset(&mut self, name: &str, preset: &str, quick: u32) -> Result<Trained> {
        let config = self.settings.preset(preset, quick)?;
        self.model(name, &config).await
    }

    /// The model of a configuration on the shared images, trained to its last epoch: in this invocation, in an earlier
    /// one, or now. An interrupted training is resumed.
    pub(super) async fn model(&mut self, name: &str, config: &Config) -> Result<Trained> {
        let split = Arc::clone(&self.split);
        self.model_on(name, config, &split).await
    }

    /// The same on other images.
    pub(super) async fn model_on(&mut self, name: &str, config: &Config, split: &Split) -> Result<Trained> {
        let (config, _) = config.suited_to(&split.train, config, |_| true)?;
        let config = &config;
        let variant = config.model.variant.name();
        let folder = self.folder.join(format!("{variant}-{:08x}", mark(config, split)?));
        if let Some(trained) = self.trained.get(&folder) {
            return Ok(trained.clone());
        }
        self.train(name, config, split, &folder).await?;
        let checkpoint = Checkpoint::last(&Registry::built_in(), &folder)?;
        let model = checkpoint.model()?;
        let mut evaluator =
            Evaluator::new(self.device, &model, split.held_out(), &checkpoint.transform, config.train.seed)
                .await?;
        let means = evaluator.evaluate_checkpoint(&checkpoint).await?;
        let (images, train, held_out) = (&split.train.name, split.train.len(), split.validation.len());
        let trained = Trained {
            name: name.to_owned(),
            latent: model.latent() as usize,
            checkpoint,
            seconds: read_metrics(&folder.join(METRICS))?.iter().map(|line| line.seconds).sum(),
            means,
            images: format!("{images}: {train} images to train on, {held_out} to validate"),
            folder: folder.clone(),
        };
        self.trained.insert(folder, trained.clone());
        Ok(trained)
    }

    async fn train(&mut self, name: &str, config: &Config, split: &Split, folder: &Path) -> Result<()> {
        let mut run = if Run::check_new(folder).is_ok() {
            Run::create(folder, self.device, config, split).await?
        } else {
            let lock = RunLock::of_run(folder)?;
            let checkpoint = Checkpoint::last(&Registry::built_in(), folder)?;
            if checkpoint.epoch() >= config.train.epochs {
                return self.tell(Event::Reused(name, folder));
            }
            Run::resume(lock, self.device, &checkpoint, config, split).await?
        };
        self.tell(Event::Training(name, config.train.epochs))?;
        let watch = &mut self.watch;
        run.train(&mut |event| watch(Event::Run(name, &event))).await
    }

    /// Tells the watcher; fails with [`Error::Stopped`] where it wants to stop.
    pub(super) fn tell(&mut self, event: Event<'_>) -> Result<()> {
        if (self.watch)(event) { Ok(()) } else { Err(Error::Stopped) }
    }

    /// Codes and reconstructions of images, without noise.
    pub(super) async fn reconstruct(&self, trained: &Trained, images: &Dataset) -> Result<Reconstructions> {
        Reconstructor::new(self.device, &trained.checkpoint, images).await?.run().await
    }

    /// The mean images of codes.
    pub(super) async fn decode(&self, trained: &Trained, codes: &[f32]) -> Result<Vec<f32>> {
        Decoder::new(self.device, &trained.checkpoint, 256).await?.decode(codes).await
    }

    /// The images that figures show and measure: the validation images, or the training images where there are none.
    pub(super) fn held_out(&self) -> &Dataset {
        self.split.held_out()
    }
}

// Identifies a training: by its settings and its images.
fn mark(config: &Config, split: &Split) -> Result<u32> {
    let mut crc = flate2::Crc::new();
    crc.update(config.to_toml()?.as_bytes());
    crc.update(&split.train.values.checksum().to_le_bytes());
    Ok(crc.sum())
}
