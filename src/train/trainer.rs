//! The trainer: a training plan on a device, advanced epoch by epoch.

use std::fmt;

use serde::{Deserialize, Serialize};
use web_time::{Duration, Instant};

use super::constant::ConstantModel;
use super::evaluate::count;
use super::metrics::{Bits, Running};
use super::{Config, EpochReport, Evaluator, Progress, TermMeans, Transform};
use crate::data::{Column, Split};
use crate::graph::{Device, Pending, Plan, Replay};
use crate::kernels::floats;
use crate::model::Model;
use crate::{Error, Result};

// Long enough to hide a submit's cost, short enough for a progress bar and for Ctrl-C.
const CHUNK: Duration = Duration::from_millis(100);

/// A model in training.
pub struct Trainer {
    pub(super) config: Config,
    pub(super) replay: Replay,
    pub(super) progress: EpochState,
    pub(super) transform: Transform,
    pub(super) constant: ConstantModel,
    pub(super) columns: Vec<Column>,
    pub(super) shape: [usize; 3],
    pub(super) data: DataMark,
    device: Device,
    model: Model,
    evaluator: Option<Evaluator>,
    chunk: u32,
}

/// What tells the training images from others, so that no run is resumed with the wrong ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DataMark {
    pub(super) images: u32,
    crc32: u32,
}

impl fmt::Display for DataMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} images with the CRC-32 {:08x}", self.images, self.crc32)
    }
}

/// Where training stands between two submits; part of every checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct EpochState {
    /// Epochs completed.
    pub(super) epoch: u32,
    /// Steps completed.
    pub(super) step: u64,
    /// The epoch under way: its terms, in the order of the step.
    pub(super) running: Vec<Running>,
    /// The best epoch's objective.
    best_bits: Option<Bits>,
}

impl Trainer {
    /// Compiles the training plan and uploads the data and the first parameters.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that make no sense, alone or with this data; what the device refuses.
    pub async fn new(device: &Device, config: &Config, data: &Split) -> Result<Self> {
        config.check()?;
        let config = &config.fitted_to(data.train.shape().try_into()?)?;
        let transform = config.transform(&data.train)?;
        let model = Model::new(&config.model, data.train.shape().try_into()?)?;
        let model = model.with_rows(transform.rows(&data.train));
        let model = model.with_augmentation(config.train.augmentation());
        let images = count(&data.train)?;
        let train = &config.train;
        let plan = model.training(train.batch, images, true, &train.update(images)?, false)?;
        let running = Running::none(&plan.terms);
        let mut replay = Replay::new(device, plan).await?;
        transform.write(&mut replay, &data.train)?;
        replay.write_initial(train.seed)?;
        let evaluator = match data.validation.len() {
            0 => None,
            _ => Some(Evaluator::new(device, &model, &data.validation, &transform, train.seed).await?),
        };
        Ok(Self {
            config: config.clone(),
            replay,
            progress: EpochState { running, ..EpochState::default() },
            constant: ConstantModel::fit(&config.model, &data.train, &transform),
            transform,
            columns: data.train.columns.clone(),
            shape: data.train.shape(),
            data: DataMark { images, crc32: data.train.values.checksum() },
            device: device.clone(),
            model,
            evaluator,
            chunk: 1,
        })
    }

    /// The plan being replayed.
    pub fn plan(&self) -> &Plan {
        self.replay.plan()
    }

    /// The replay, for readers of its parameters.
    pub fn replay(&self) -> &Replay {
        &self.replay
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Height, width and channels of its images.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// What stands between images and the model.
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    /// The best constant answer to its training part.
    pub fn constant(&self) -> &ConstantModel {
        &self.constant
    }

    /// Epochs completed.
    pub fn epochs_done(&self) -> u32 {
        self.progress.epoch
    }

    // Batches run on across passes over the data, so epochs end at the first step that completes one.
    fn steps_until(&self, epochs: u32) -> u64 {
        self.config.train.steps(epochs, self.data.images)
    }

    /// Trains to the end of the epoch and validates. `watch` sees the progress and returns whether to continue.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the step: the device's numbers are then of no use, go back to a checkpoint.
    /// [`Error::Stopped`] where `watch` returned false: the state can then be saved, and the next call continues the
    /// epoch.
    pub async fn epoch(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<EpochReport> {
        let began = Instant::now();
        let before = self.progress.step;
        self.train_epoch(watch).await?;
        let seconds = began.elapsed().as_secs_f64();
        let images = (self.progress.step - before) * u64::from(self.config.train.batch);
        let validation = self.validate().await?;
        let train = Running::means(&self.progress.running, self.model.terms());
        let means = validation.as_ref().unwrap_or(&train);
        let (total, ranked) = (means.total(), means.objective());
        if !total.is_finite() {
            return Err(self.not_finite("the validation loss", total as f32));
        }
        let best = self.progress.best_bits.is_none_or(|best| ranked < best.0);
        self.progress.best_bits = if best { Some(Bits(ranked)) } else { self.progress.best_bits };
        self.progress.epoch += 1;
        self.progress.running = Running::none(self.model.terms());
        Ok(EpochReport {
            epoch: self.progress.epoch,
            step: self.progress.step,
            train,
            validation,
            best,
            seconds,
            images_per_second: images as f64 / seconds.max(1e-9),
        })
    }

    /// Loss terms on the validation images; None without any.
    pub async fn validate(&mut self) -> Result<Option<TermMeans>> {
        let Some(evaluator) = &mut self.evaluator else { return Ok(None) };
        evaluator.evaluate(&self.replay).await.map(Some)
    }

    // Keeps one submit under way while the one before is read, so that the device never waits.
    async fn train_epoch(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<()> {
        let end = self.steps_until(self.progress.epoch + 1);
        let mut submitted = self.progress.step;
        let mut flying: Option<(u32, Pending)> = None;
        let mut going = true;
        let mut since = Instant::now();
        while flying.is_some() || (going && submitted < end) {
            let mut next = None;
            if going && submitted < end {
                let steps = u64::from(self.chunk).min(end - submitted) as u32;
                next = Some((steps, self.replay.submit(steps, "ring")?));
                submitted += u64::from(steps);
            }
            if let Some((steps, pending)) = flying.take() {
                let ring = self.replay.wait(pending).await?;
                self.note(steps, floats(&ring))?;
                going &= watch(&self.current(end));
                self.adapt_chunk(since.elapsed());
                since = Instant::now();
            }
            flying = next;
        }
        if going { Ok(()) } else { Err(Error::Stopped) }
    }

    fn adapt_chunk(&mut self, took: Duration) {
        if took < CHUNK / 2 {
            self.chunk = (self.chunk * 2).min(Plan::ring_steps());
        } else if took > CHUNK * 2 {
            self.chunk = (self.chunk / 2).max(1);
        }
    }

    // Adds the ring's newest steps to the epoch's sums.
    fn note(&mut self, steps: u32, ring: &[f32]) -> Result<()> {
        let capacity = Plan::ring_steps() as usize;
        let periods: Vec<u32> = self.replay.plan().terms.iter().map(|term| term.every).collect();
        for _ in 0..steps {
            let at = (self.progress.step % capacity as u64) as usize;
            self.progress.step += 1;
            for (term, every) in periods.iter().enumerate() {
                if !self.progress.step.is_multiple_of(u64::from(*every)) {
                    continue;
                }
                let loss = ring[term * capacity + at];
                if !loss.is_finite() {
                    return Err(self.not_finite("the loss", loss));
                }
                self.progress.running[term].add(loss.into());
            }
        }
        Ok(())
    }

    pub(super) fn not_finite(&self, what: impl Into<String>, value: f32) -> Error {
        Error::NotFinite { what: what.into(), step: self.progress.step, value, kept: String::new() }
    }

    fn current(&self, end: u64) -> Progress {
        let start = self.steps_until(self.progress.epoch);
        Progress {
            epoch: self.progress.epoch + 1,
            step: self.progress.step - start,
            steps: end - start,
            run_step: self.progress.step,
            run_steps: self.steps_until(self.config.train.epochs).max(end),
            batch: self.config.train.batch,
            means: Running::means(&self.progress.running, self.model.terms()),
        }
    }
}
