//! A run and its folder: configuration, metrics, checkpoints and pictures, epoch by epoch.

use std::path::{Path, PathBuf};

use super::files::LAST;
use super::metrics::{MetricsLine, line};
use super::pictures::Pictures;
use super::training::take_good;
use crate::data::written::write_whole;
use crate::data::{DrawnParts, Split, written};
use crate::graph::Device;
use crate::train::{Checkpoint, Config, EpochReport, Progress, Rewind, Trainer};
use crate::{Error, Result};

/// What the watcher of a run sees.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// Some steps are done.
    Progress(&'a Progress),
    /// An epoch is done and saved.
    Epoch(&'a EpochReport),
    /// A step was not finite, and training went back.
    Rewound(&'a Rewind),
    /// What could not be written, and what happens instead. The run goes on.
    Warning(&'a str),
    /// The disk is full: the run waits for room.
    Waiting,
}

/// What a new run begins with.
#[derive(Clone, Copy, Debug)]
pub enum Beginning<'a> {
    /// First values drawn from the seed.
    Seed,
    /// The parameters of another run, by its name for people.
    Parameters(&'a Checkpoint, &'a str),
    /// All of another run, from which it goes on with other settings of training.
    Fork(&'a Checkpoint, &'a str),
}

/// The configuration in a run's folder.
pub const CONFIG: &str = written::CONFIG;
/// The metrics in a run's folder.
pub const METRICS: &str = written::METRICS;

/// The picture of an epoch's reconstructions in a run's folder.
pub fn reconstructions_of_epoch(epoch: u32) -> String {
    format!("epoch-{epoch:03}-reconstructions.png")
}

/// The picture of an epoch's samples in a run's folder.
pub fn samples_of_epoch(epoch: u32) -> String {
    format!("epoch-{epoch:03}-samples.png")
}

/// The checkpoint of an epoch in a run's folder, where it keeps several.
pub fn checkpoint_of_epoch(epoch: u32) -> String {
    format!("epoch-{epoch:03}.safetensors")
}

/// A training run that keeps its results in a folder: `config.toml`, `metrics.jsonl`, `last.safetensors`,
/// `best.safetensors`, `epoch-NNN-*.png`, and `split.csv` where it drew parts of its data.
pub struct Run {
    pub(super) folder: PathBuf,
    pub(super) trainer: Trainer,
    pub(super) pictures: Pictures,
    /// Where checkpoints go that the folder does not take.
    pub(super) rescue: Option<PathBuf>,
    /// Lines of the metrics that could not be written yet.
    pub(super) unwritten: Vec<MetricsLine>,
}

impl Run {
    /// A new run in `folder`, which is made where it is missing and must not hold a run already.
    ///
    /// # Errors
    /// [`Error::File`] where the folder holds a run, [`Error::Io`] where it cannot be written, and as
    /// [`Trainer::new`].
    pub async fn create(folder: &Path, device: &Device, config: &Config, data: &Split) -> Result<Self> {
        Self::create_from(folder, device, config, data, &Beginning::Seed).await
    }

    /// As [`Run::create`], with what another run learned: as [`Trainer::begin_with`] or [`Trainer::fork`].
    pub async fn create_from(
        folder: &Path,
        device: &Device,
        config: &Config,
        data: &Split,
        beginning: &Beginning<'_>,
    ) -> Result<Self> {
        Self::check_new(folder)?;
        // First, so that a place that cannot be written is found before any work; what fails after it
        // leaves no empty folder behind.
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let begun = Self::begin(folder, device, config, data, beginning).await;
        if begun.is_err() {
            let _ = std::fs::remove_dir(folder);
        }
        begun
    }

    /// Refuses a folder that holds a run, before any slow work. It need not exist.
    pub fn check_new(folder: &Path) -> Result<()> {
        if ![LAST, CONFIG].iter().any(|name| folder.join(name).exists()) {
            return Ok(());
        }
        Err(Error::File {
            path: folder.to_owned(),
            expected: "a folder without a run, or --resume to continue this one".to_owned(),
            found: "a run".to_owned(),
        })
    }

    async fn begin(
        folder: &Path,
        device: &Device,
        config: &Config,
        data: &Split,
        beginning: &Beginning<'_>,
    ) -> Result<Self> {
        let mut trainer = Trainer::new(device, config, data).await?;
        match beginning {
            Beginning::Seed => {}
            Beginning::Parameters(other, name) => trainer.begin_with(other, name).await?,
            Beginning::Fork(other, name) => trainer.fork(other, name).await?,
        }
        let run = Self::with(folder, trainer, device, data).await?;
        run.trainer.checkpoint().await?.save(folder.join(LAST))?;
        run.save_config()?;
        if let Some(drawn) = DrawnParts::of(data).filter(|_| config.data.source.is_path()) {
            drawn.save(folder)?;
        }
        Ok(run)
    }

    /// Resumes the run in `folder` from `checkpoint`, with results bit-identical to those of an uninterrupted run.
    ///
    /// # Errors
    /// As [`Trainer::restore`] and [`Trainer::new`].
    pub async fn resume(
        folder: &Path,
        device: &Device,
        checkpoint: &Checkpoint,
        config: &Config,
        data: &Split,
    ) -> Result<Self> {
        if config.train.epochs < checkpoint.epoch() {
            let expected = format!("at least the {} that are done", checkpoint.epoch());
            return Err(Error::setting("epochs", expected, config.train.epochs));
        }
        checkpoint.check_images(&data.train)?;
        let mut trainer = Trainer::new(device, config, data).await?;
        trainer.restore(checkpoint)?;
        take_good(folder, &mut trainer, checkpoint);
        let run = Self::with(folder, trainer, device, data).await?;
        run.save_config()?;
        run.trim_metrics(&checkpoint.metrics)?;
        Ok(run)
    }

    async fn with(folder: &Path, trainer: Trainer, device: &Device, data: &Split) -> Result<Self> {
        let checkpoint = trainer.checkpoint().await?;
        let pictures = Pictures::new(device, &checkpoint, data.held_out()).await?;
        let (rescue, unwritten) = (None, Vec::new());
        Ok(Self { folder: folder.to_owned(), trainer, pictures, rescue, unwritten })
    }

    /// The trainer.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    fn save_config(&self) -> Result<()> {
        let text = self.trainer.config().to_toml()?;
        let device = self.trainer.device();
        let matmul = device.variants().map_or("reference".to_owned(), |variants| variants.matmul.to_string());
        let minimized = self.trainer.model().minimized();
        let on = format!("# Trained on {}, matrix products: {matmul}.", device.name());
        let origin: String =
            self.trainer.origin().iter().map(|line| format!("# Origin: {line}.\n")).collect();
        let text = format!("{on}\n# Minimized: {minimized}.\n{origin}\n{text}");
        write_whole(&self.folder.join(CONFIG), text.as_bytes())
    }

    // A run that died between its checkpoint and its metrics lacks a line, which the checkpoint keeps; one that has gone
    // back to an earlier checkpoint has lines too many.
    fn trim_metrics(&self, kept: &[String]) -> Result<()> {
        let path = self.folder.join(METRICS);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let done = self.trainer.epochs_done();
        let of = |text: &str| line(text).map(|line| line.epoch);
        let written: Vec<&str> =
            text.lines().filter(|text| of(text).is_some_and(|epoch| epoch <= done)).collect();
        let missing =
            kept.iter().map(String::as_str).filter(|text| !written.iter().any(|line| of(line) == of(text)));
        let lines: String = written.iter().copied().chain(missing).map(|line| format!("{line}\n")).collect();
        if lines.is_empty() && !path.exists() { Ok(()) } else { write_whole(&path, lines.as_bytes()) }
    }
}
