//! A run and its folder: configuration, metrics, checkpoints and pictures, epoch by epoch.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::files::{BEST, LAST};
use super::metrics::{MetricsLine, line};
use super::pictures::Pictures;
use crate::data::written::write_whole;
use crate::data::{DrawnParts, Split, written};
use crate::graph::Device;
use crate::train::{Checkpoint, Config, EpochReport, Progress, Trainer};
use crate::{Error, Result};

/// What the watcher of a run sees.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// Some steps are done.
    Progress(&'a Progress),
    /// An epoch is done and saved.
    Epoch(&'a EpochReport),
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

/// A training run that keeps its results in a folder: `config.toml`, `metrics.jsonl`, `last.safetensors`,
/// `best.safetensors`, `epoch-NNN-*.png`, and `split.csv` where it drew parts of its data.
pub struct Run {
    folder: PathBuf,
    trainer: Trainer,
    pictures: Pictures,
}

impl Run {
    /// A new run in `folder`, which is made where it is missing and must not hold a run already.
    ///
    /// # Errors
    /// [`Error::File`] where the folder holds a run, [`Error::Io`] where it cannot be written, and as
    /// [`Trainer::new`].
    pub async fn create(folder: &Path, device: &Device, config: &Config, data: &Split) -> Result<Self> {
        Self::check_new(folder)?;
        // First, so that a place that cannot be written is found before any work; what fails after it
        // leaves no empty folder behind.
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let begun = Self::begin(folder, device, config, data).await;
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

    async fn begin(folder: &Path, device: &Device, config: &Config, data: &Split) -> Result<Self> {
        let trainer = Trainer::new(device, config, data).await?;
        let run = Self::with(folder, trainer, device, data).await?;
        run.save_last().await?;
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
        let run = Self::with(folder, trainer, device, data).await?;
        run.save_config()?;
        run.trim_metrics()?;
        Ok(run)
    }

    async fn with(folder: &Path, trainer: Trainer, device: &Device, data: &Split) -> Result<Self> {
        let checkpoint = trainer.checkpoint().await?;
        let pictures = Pictures::new(device, &checkpoint, data.held_out()).await?;
        Ok(Self { folder: folder.to_owned(), trainer, pictures })
    }

    /// The trainer.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Trains to the last epoch. `watch` sees each event and returns whether to continue; if not, the run is saved and
    /// ends with [`Error::Stopped`].
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the step, the last good checkpoint being kept; [`Error::Io`].
    pub async fn train(&mut self, watch: &mut dyn FnMut(RunEvent<'_>) -> bool) -> Result<()> {
        while self.trainer.epochs_done() < self.trainer.config().train.epochs {
            match self.epoch(watch).await {
                Err(Error::NotFinite { what, step, value, .. }) => {
                    let kept = format!(" in {}", self.folder.display());
                    return Err(Error::NotFinite { what, step, value, kept });
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    async fn epoch(&mut self, watch: &mut dyn FnMut(RunEvent<'_>) -> bool) -> Result<()> {
        let report = match self.trainer.epoch(&mut |progress| watch(RunEvent::Progress(progress))).await {
            Err(Error::Stopped) => {
                self.save_last().await?;
                return Err(Error::Stopped);
            }
            outcome => outcome?,
        };
        self.save_epoch(&report).await?;
        let going = watch(RunEvent::Epoch(&report));
        let done = report.epoch >= self.trainer.config().train.epochs;
        if going || done { Ok(()) } else { Err(Error::Stopped) }
    }

    // The checkpoint to resume from is written last: a run that is interrupted before it repeats the epoch.
    async fn save_epoch(&mut self, report: &EpochReport) -> Result<()> {
        let checkpoint = self.trainer.checkpoint().await?;
        self.pictures.save(&self.folder, report.epoch, &self.trainer).await?;
        self.append_metrics(report)?;
        if report.best {
            checkpoint.save(self.folder.join(BEST))?;
        }
        checkpoint.save(self.folder.join(LAST))
    }

    async fn save_last(&self) -> Result<()> {
        self.trainer.checkpoint().await?.save(self.folder.join(LAST))
    }

    fn save_config(&self) -> Result<()> {
        let text = self.trainer.config().to_toml()?;
        let device = self.trainer.device();
        let matmul = device.variants().map_or("reference".to_owned(), |variants| variants.matmul.to_string());
        let minimized = self.trainer.model().minimized();
        let on = format!("# Trained on {}, matrix products: {matmul}.", device.name());
        let text = format!("{on}\n# Minimized: {minimized}.\n\n{text}");
        write_whole(&self.folder.join(CONFIG), text.as_bytes())
    }

    fn append_metrics(&self, report: &EpochReport) -> Result<()> {
        let path = self.folder.join(METRICS);
        let line = MetricsLine::from(report).to_json()? + "\n";
        let mut file =
            OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io("write", &path))?;
        file.write_all(line.as_bytes()).map_err(Error::io("write", &path))
    }

    // A run that died between its metrics and its checkpoint has a line too many.
    fn trim_metrics(&self) -> Result<()> {
        let path = self.folder.join(METRICS);
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(()) };
        let done = self.trainer.epochs_done();
        let keep = |text: &&str| line(text).is_some_and(|line| line.epoch <= done);
        let kept: String = text.lines().filter(keep).map(|line| format!("{line}\n")).collect();
        write_whole(&path, kept.as_bytes())
    }
}
