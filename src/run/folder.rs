//! A run and its folder: configuration, metrics, checkpoints and pictures, epoch by epoch.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::aside::{left_over, set_aside};
use super::kept::Kept;
use super::lock::{RunLock, named};
use super::metrics::{METRICS, MetricsLine, trim};
use super::pictures::Pictures;
use crate::data::written::write_whole;
use crate::data::{DrawnParts, Split, written};
use crate::graph::Device;
use crate::train::{Checkpoint, Config, EpochReport, Progress, Trainer, position};
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

/// The picture of an epoch's reconstructions in a run's folder.
pub fn reconstructions_of_epoch(epoch: u32) -> String {
    format!("epoch-{epoch:03}-reconstructions.png")
}

/// The picture of an epoch's samples in a run's folder.
pub fn samples_of_epoch(epoch: u32) -> String {
    format!("epoch-{epoch:03}-samples.png")
}

/// A training run that keeps its results in a folder: `config.toml`, `metrics.jsonl`, `last.safetensors`,
/// `best.safetensors`, `previous.safetensors` of the epoch before the last, `epoch-NNN-*.png`, and `split.csv` where it drew
/// parts of its data. No other process can train it meanwhile.
pub struct Run {
    folder: PathBuf,
    trainer: Trainer,
    pictures: Pictures,
    // Whether the newest checkpoint in the folder is of an epoch's end.
    ended: bool,
    remarks: Vec<String>,
    // Held as long as the run is there.
    _lock: RunLock,
}

impl Run {
    /// A new run in `folder`, which is made where it is missing and must not hold a run already. Single files that an older
    /// run left there are moved to a folder of their own.
    ///
    /// # Errors
    /// [`Error::File`] where the folder holds a run, [`Error::Io`] where it cannot be written, and as
    /// [`Trainer::new`].
    pub async fn create(folder: &Path, device: &Device, config: &Config, data: &Split) -> Result<Self> {
        Self::check_new(folder)?;
        // First, so that a place that cannot be written is found before any work; what fails after it
        // leaves no empty folder behind.
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let lock = RunLock::take(folder)?;
        // Another may have begun since.
        Self::check_new(folder)?;
        match Self::prepare(device, config, None, data).await {
            Ok((trainer, pictures)) => Self::begin(Self::with(lock, trainer, pictures), data).await,
            Err(error) => {
                lock.abandon();
                Err(error)
            }
        }
    }

    /// Refuses a folder that holds a run, before any slow work. It need not exist.
    pub fn check_new(folder: &Path) -> Result<()> {
        let files = [CONFIG, Kept::Last.file(), Kept::Previous.file()];
        if !files.iter().any(|name| folder.join(name).exists()) {
            return Ok(());
        }
        Err(Error::File {
            path: folder.to_owned(),
            expected: "a folder without a run, or --resume to continue this one".to_owned(),
            found: named(folder).map_or("a run".to_owned(), |who| format!("a run of {who}")),
        })
    }

    async fn begin(mut run: Self, data: &Split) -> Result<Self> {
        let old = left_over(&run.folder)?;
        if !old.is_empty() {
            let aside = set_aside(&run.folder, &old)?;
            run.remarks.push(format!(
                "files of an older run are kept in {}: {}",
                aside.display(),
                old.join(", ")
            ));
        }
        run.save_last().await?;
        run.save_config()?;
        let is_path = run.trainer.config().data.source.is_path();
        if let Some(drawn) = DrawnParts::of(data).filter(|_| is_path) {
            drawn.save(&run.folder)?;
        }
        Ok(run)
    }

    /// Resumes a run from `checkpoint`, with results bit-identical to those of an uninterrupted run. Nothing in its folder
    /// changes before all is known to fit. What a checkpoint that is not the newest leaves behind, and metrics with damage,
    /// are moved to a folder of their own.
    ///
    /// # Errors
    /// As [`Trainer::restore`] and [`Trainer::new`].
    pub async fn resume(
        lock: RunLock,
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
        let (trainer, pictures) = Self::prepare(device, config, Some(checkpoint), data).await?;
        let mut run = Self::with(lock, trainer, pictures);
        run.remarks.extend(checkpoint.other_test_part(&data.test));
        run.clear(checkpoint)?;
        run.save_config()?;
        Ok(run)
    }

    async fn prepare(
        device: &Device,
        config: &Config,
        from: Option<&Checkpoint>,
        data: &Split,
    ) -> Result<(Trainer, Pictures)> {
        let mut trainer = Trainer::new(device, config, data).await?;
        from.map_or(Ok(()), |checkpoint| trainer.restore(checkpoint))?;
        let pictures = Pictures::new(device, &trainer.checkpoint().await?, data.held_out()).await?;
        Ok((trainer, pictures))
    }

    fn with(lock: RunLock, trainer: Trainer, pictures: Pictures) -> Self {
        let remarks = lock.remark().map(str::to_owned).into_iter().collect();
        Self { folder: lock.folder().to_owned(), trainer, pictures, ended: false, remarks, _lock: lock }
    }

    /// What a user should know of the folder that was found: who trained the run before and died, what was moved, what is
    /// lost. One sentence each.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
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
            checkpoint.save(Kept::Best.of(&self.folder))?;
        }
        self.put_last(&checkpoint)
    }

    async fn save_last(&mut self) -> Result<()> {
        let checkpoint = self.trainer.checkpoint().await?;
        self.put_last(&checkpoint)
    }

    // The newest checkpoint becomes the previous one if it is of an epoch's end, so that a stop in an epoch changes nothing
    // of what an uninterrupted run keeps.
    fn put_last(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let [last, previous] = [Kept::Last, Kept::Previous].map(|kept| kept.of(&self.folder));
        match self.ended {
            true => checkpoint.save_after(&last, &previous)?,
            false => checkpoint.save(&last)?,
        }
        self.ended = checkpoint.ends_epoch();
        Ok(())
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

    // Brings the folder to where `checkpoint` stands.
    fn clear(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let last = Kept::Last.of(&self.folder);
        let stands = std::fs::read(&last).ok().and_then(|bytes| position(&bytes).ok());
        let other = stands != Some((checkpoint.epoch(), checkpoint.step()));
        let path = self.folder.join(METRICS);
        let metrics = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            bytes => Some(bytes.map_err(Error::io("read", &path))?),
        };
        let best = std::fs::read(Kept::Best.of(&self.folder)).ok();
        if let Some(Err(error)) = best.map(|bytes| position(&bytes)) {
            let name = Kept::Best.file();
            self.remarks.push(format!("{name} is damaged, and stays until an epoch ranks better: {error}"));
        }
        let trimmed = trim(metrics.as_deref().unwrap_or_default(), checkpoint.epoch());
        let mut old = Vec::new();
        old.extend((other && last.exists()).then(|| Kept::Last.file().to_owned()));
        old.extend((metrics.is_some() && (trimmed.loses || !old.is_empty())).then(|| METRICS.to_owned()));
        self.remarks.extend(trimmed.remark);
        if !old.is_empty() {
            let aside = set_aside(&self.folder, &old)?;
            self.remarks.push(format!("as found, {} is now in {}", old.join(" with "), aside.display()));
        }
        if other {
            checkpoint.save(last)?;
        }
        self.ended = checkpoint.ends_epoch();
        if metrics.is_some_and(|metrics| metrics != trimmed.kept.as_bytes()) {
            write_whole(&path, trimmed.kept.as_bytes())?;
        }
        Ok(())
    }
}
