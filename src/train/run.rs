//! A run and its folder: configuration, metrics, checkpoints and pictures, epoch by epoch.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::checkpoint::write_whole;
use super::{Checkpoint, Config, Decoder, EpochReport, Progress, Reconstructor, Trainer, prior_codes};
use crate::data::{Dataset, Split};
use crate::graph::Device;
use crate::report::{Grid, interleaved};
use crate::{Error, Result};

// Enough to judge by eye.
const SHOWN: usize = 20;
const SHOWN_COLUMNS: usize = 10;
const SAMPLES: usize = 64;
const SAMPLE_COLUMNS: usize = 8;

/// What a run tells its watcher.
#[derive(Debug)]
pub enum RunEvent<'a> {
    /// Some steps are done.
    Progress(&'a Progress),
    /// An epoch is done and saved.
    Epoch(&'a EpochReport),
}

/// A training run that keeps its results in a folder:
/// `config.toml`, `metrics.jsonl`, `last.safetensors`, `best.safetensors`, `epoch-NNN-*.png`.
pub struct Run {
    folder: PathBuf,
    trainer: Trainer,
    pictures: Pictures,
}

// The images shown each epoch, and what decodes them.
struct Pictures {
    originals: Vec<f32>,
    reconstructor: Reconstructor,
    decoder: Option<(Decoder, Vec<f32>)>,
}

impl Run {
    /// A new run in `folder`, which must not hold one already.
    ///
    /// # Errors
    /// [`Error::File`] where the folder holds a run, and as [`Trainer::new`].
    pub async fn create(folder: &Path, device: &Device, config: &Config, data: &Split) -> Result<Self> {
        if folder.join("last.safetensors").exists() || folder.join("config.toml").exists() {
            return Err(Error::File {
                path: folder.to_owned(),
                expected: "a folder without a run, or --resume to continue this one".to_owned(),
                found: "a run".to_owned(),
            });
        }
        let trainer = Trainer::new(device, config, data).await?;
        let run = Self::with(folder, trainer, device, data).await?;
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        run.save_config()?;
        run.save_last().await?;
        Ok(run)
    }

    /// Goes on with the run in `folder`: the result equals that of an uninterrupted one bit for bit.
    /// `epochs` may differ from before; all else is the checkpoint's.
    ///
    /// # Errors
    /// [`Error::Shape`] where the data are not the run's, and as [`Trainer::new`].
    pub async fn resume(
        folder: &Path,
        device: &Device,
        checkpoint: &Checkpoint,
        config: &Config,
        data: &Split,
    ) -> Result<Self> {
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
        let shown = if data.validation.is_empty() { &data.train } else { &data.validation };
        let pictures = Pictures::new(device, &checkpoint, shown).await?;
        Ok(Self { folder: folder.to_owned(), trainer, pictures })
    }

    /// The trainer.
    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// Trains to the last epoch. `watch` sees each event and returns whether to go on; when it says no,
    /// the run is saved where it stands and ends with [`Error::Stopped`].
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the step, the last good checkpoint being kept; [`Error::Io`].
    pub async fn train(&mut self, watch: &mut dyn FnMut(RunEvent<'_>) -> bool) -> Result<()> {
        while self.trainer.epochs_done() < self.trainer.config().train.epochs {
            let outcome = self.trainer.epoch(&mut |progress| watch(RunEvent::Progress(progress))).await;
            let report = match outcome {
                Ok(report) => report,
                Err(Error::Stopped) => {
                    self.save_last().await?;
                    return Err(Error::Stopped);
                }
                Err(Error::NotFinite { step, loss, .. }) => {
                    let kept = format!(" in {}", self.folder.display());
                    return Err(Error::NotFinite { step, loss, kept });
                }
                Err(error) => return Err(error),
            };
            self.save_epoch(&report).await?;
            if !watch(RunEvent::Epoch(&report)) && report.epoch < self.trainer.config().train.epochs {
                return Err(Error::Stopped);
            }
        }
        Ok(())
    }

    async fn save_epoch(&mut self, report: &EpochReport) -> Result<()> {
        self.pictures.save(&self.folder, report.epoch, &self.trainer).await?;
        self.append_metrics(report)?;
        let checkpoint = self.trainer.checkpoint().await?;
        checkpoint.save(&self.folder.join("last.safetensors"))?;
        if report.best {
            checkpoint.save(&self.folder.join("best.safetensors"))?;
        }
        Ok(())
    }

    async fn save_last(&self) -> Result<()> {
        self.trainer.checkpoint().await?.save(&self.folder.join("last.safetensors"))
    }

    fn save_config(&self) -> Result<()> {
        let text = self.trainer.config().to_toml()?;
        let device = self.trainer.device();
        let matmul = device.variants().map_or("reference".to_owned(), |variants| variants.matmul.to_string());
        let text = format!("# Trained on {}, matrix products: {matmul}.\n\n{text}", device.name());
        write_whole(&self.folder.join("config.toml"), text.as_bytes())
    }

    fn metrics_path(&self) -> PathBuf {
        self.folder.join("metrics.jsonl")
    }

    fn append_metrics(&self, report: &EpochReport) -> Result<()> {
        let path = self.metrics_path();
        let mut line = json_line(report)?;
        line.push('\n');
        let mut file =
            OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io("write", &path))?;
        file.write_all(line.as_bytes()).map_err(Error::io("write", &path))
    }

    // A run that died between its metrics and its checkpoint has a line too many.
    fn trim_metrics(&self) -> Result<()> {
        let path = self.metrics_path();
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(()) };
        let done = self.trainer.epochs_done();
        let keep =
            |line: &&str| serde_json::from_str::<EpochReport>(line).is_ok_and(|report| report.epoch <= done);
        let kept: String = text.lines().filter(keep).map(|line| format!("{line}\n")).collect();
        write_whole(&path, kept.as_bytes())
    }
}

/// One report as one line of JSON.
///
/// # Errors
/// [`Error::Setting`] where a number has no JSON form, which finite losses rule out.
pub fn json_line(report: &EpochReport) -> Result<String> {
    serde_json::to_string(report).map_err(|error| Error::setting("metrics", "finite numbers", error))
}

impl Pictures {
    async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Self> {
        let shown = data.slice(0..SHOWN.min(data.len()))?;
        let originals = shown.images.iter().map(|pixel| f32::from(*pixel) / 255.0).collect();
        let reconstructor = Reconstructor::new(device, checkpoint, &shown).await?;
        let decoder = if checkpoint.model()?.has_prior() {
            let latent = checkpoint.config.model.latent as usize;
            let codes = prior_codes(checkpoint.config.train.seed, SAMPLES, latent);
            Some((Decoder::new(device, checkpoint, SAMPLES).await?, codes))
        } else {
            None
        };
        Ok(Self { originals, reconstructor, decoder })
    }

    async fn save(&mut self, folder: &Path, epoch: u32, trainer: &Trainer) -> Result<()> {
        let shape = trainer.shape;
        let pixels = shape.iter().product();
        self.reconstructor.follow(trainer.replay())?;
        let reconstructions = self.reconstructor.run().await?.images;
        let columns = SHOWN_COLUMNS.min(self.originals.len() / pixels);
        let images = interleaved(&self.originals, &reconstructions, pixels, columns);
        let grid = Grid { images: &images, shape, columns };
        grid.save(&folder.join(format!("epoch-{epoch:03}-reconstructions.png")))?;
        if let Some((decoder, codes)) = &mut self.decoder {
            decoder.follow(trainer.replay())?;
            let images = decoder.decode(codes).await?;
            let grid = Grid { images: &images, shape, columns: SAMPLE_COLUMNS };
            grid.save(&folder.join(format!("epoch-{epoch:03}-samples.png")))?;
        }
        Ok(())
    }
}
