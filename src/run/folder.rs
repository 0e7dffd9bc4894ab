//! A run and its folder: configuration, metrics, checkpoints and pictures, epoch by epoch.

use std::path::{Path, PathBuf};

use super::aside::{left_over, set_aside};
use super::beginning::Beginning;
use super::kept::Kept;
use super::lock::{RunLock, named};
use super::metrics::{METRICS, MetricsLine, trim};
use super::pictures::Pictures;
use super::place::{check_folder, make_folder};
use super::training::take_good;
use crate::data::written::write_whole;
use crate::data::{DrawnParts, Split, written};
use crate::graph::Device;
use crate::train::{Checkpoint, Config, EpochReport, Progress, Rewind, Trainer, position};
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

/// The checkpoint of an epoch in a run's folder, where it keeps several.
pub fn checkpoint_of_epoch(epoch: u32) -> String {
    format!("epoch-{epoch:03}.safetensors")
}

/// A training run that keeps its results in a folder: `config.toml`, `metrics.jsonl`, `last.safetensors`,
/// `best.safetensors`, `previous.safetensors` of the epoch before the last, `epoch-NNN-*.png`, and `split.csv` where it drew
/// parts of its data. No other process can train it meanwhile.
pub struct Run {
    pub(super) folder: PathBuf,
    pub(super) trainer: Trainer,
    pub(super) pictures: Pictures,
    /// Where checkpoints go that the folder does not take.
    pub(super) rescue: Option<PathBuf>,
    /// Lines of the metrics that could not be written yet.
    pub(super) unwritten: Vec<MetricsLine>,
    /// Whether the newest checkpoint in the folder is of an epoch's end.
    pub(super) ended: bool,
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
        Self::create_from(folder, device, config, data, &Beginning::Seed).await
    }

    /// As [`Run::create`], with what another run learned: as [`Trainer::begin_with`], [`Trainer::begin_with_state_dict`] or
    /// [`Trainer::fork`].
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
        make_folder(folder)?;
        let lock = RunLock::take(folder)?;
        // Another may have begun since.
        Self::check_new(folder)?;
        match Self::prepare(device, config, beginning, data).await {
            Ok((trainer, pictures)) => Self::begin(Self::with(lock, trainer, pictures), data).await,
            Err(error) => {
                lock.abandon();
                Err(error)
            }
        }
    }

    /// Refuses a folder that holds a run, and a file, before any slow work. It need not exist.
    pub fn check_new(folder: &Path) -> Result<()> {
        check_folder(folder)?;
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

    async fn prepare(
        device: &Device,
        config: &Config,
        beginning: &Beginning<'_>,
        data: &Split,
    ) -> Result<(Trainer, Pictures)> {
        let mut trainer = Trainer::new(device, config, data).await?;
        beginning.begin(&mut trainer).await?;
        let pictures = Pictures::new(device, &trainer.checkpoint().await?, data.held_out()).await?;
        Ok((trainer, pictures))
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
        let first = run.trainer.checkpoint().await?;
        first.save(Kept::Last.of(&run.folder))?;
        run.ended = first.ends_epoch();
        run.save_config()?;
        run.save_parts(data)?;
        Ok(run)
    }

    fn save_parts(&self, data: &Split) -> Result<()> {
        let is_path = self.trainer.config().data.source.is_path();
        DrawnParts::of(data).filter(|_| is_path).map_or(Ok(()), |drawn| drawn.save(&self.folder))
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
        let mut trainer = Trainer::new(device, config, data).await?;
        trainer.restore(checkpoint)?;
        let without_good = take_good(lock.folder(), &mut trainer, checkpoint);
        let pictures = Pictures::new(device, &trainer.checkpoint().await?, data.held_out()).await?;
        let mut run = Self::with(lock, trainer, pictures);
        run.remarks.extend(without_good);
        run.remarks.extend(checkpoint.other_test_part(&data.test));
        run.clear(checkpoint)?;
        run.save_config()?;
        if !run.folder.join(written::SPLIT).exists() {
            run.save_parts(data)?;
        }
        run.draw_again(checkpoint).await?;
        Ok(run)
    }

    fn with(lock: RunLock, trainer: Trainer, pictures: Pictures) -> Self {
        Self {
            folder: lock.folder().to_owned(),
            trainer,
            pictures,
            rescue: None,
            unwritten: Vec::new(),
            ended: false,
            remarks: lock.remark().map(str::to_owned).into_iter().collect(),
            _lock: lock,
        }
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

    fn save_config(&self) -> Result<()> {
        let text = self.trainer.config().to_toml()?;
        let device = self.trainer.device();
        let kernels = device.variants().map_or("the reference".to_owned(), |variants| variants.to_string());
        let minimized = self.trainer.model().minimized();
        let on = format!("# Trained on {}, matrix products: {kernels}.", device.name());
        let origin: String =
            self.trainer.origin().iter().map(|line| format!("# Origin: {line}.\n")).collect();
        let text = format!("{on}\n# Minimized: {minimized}.\n{origin}\n{text}");
        let path = self.folder.join(CONFIG);
        // On a full disk what is the same need not be written.
        if std::fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            return Ok(());
        }
        write_whole(&path, text.as_bytes())
    }

    // The pictures of an epoch whose process died behind its checkpoint.
    async fn draw_again(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let epoch = checkpoint.epoch();
        let own = epoch > checkpoint.forked_at() && checkpoint.ends_epoch();
        if !own || self.folder.join(reconstructions_of_epoch(epoch)).exists() {
            return Ok(());
        }
        let warning = self.draw(epoch).await?;
        self.remarks.extend(warning);
        Ok(())
    }

    /// Draws an epoch's pictures; a warning where they cannot be written.
    pub(super) async fn draw(&mut self, epoch: u32) -> Result<Option<String>> {
        match self.pictures.save(&self.folder, epoch, &self.trainer).await {
            Err(error @ (Error::Io { .. } | Error::File { .. })) => {
                Ok(Some(format!("{error}. The run goes on without pictures of this epoch")))
            }
            outcome => outcome.map(|()| None),
        }
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
        let epochs = checkpoint.forked_at()..checkpoint.epoch();
        let trimmed = trim(metrics.as_deref().unwrap_or_default(), &checkpoint.metrics, epochs);
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
        if metrics.unwrap_or_default() != trimmed.kept.as_bytes() {
            write_whole(&path, trimmed.kept.as_bytes())?;
        }
        Ok(())
    }
}
