//! The trainer: a training plan on a device, advanced epoch by epoch.

use std::sync::Arc;

use web_time::{Duration, Instant};

use super::constant::ConstantModel;
use super::data_mark::DataMark;
use super::epoch_state::EpochState;
use super::evaluate::count;
use super::metrics::{Bits, Running};
use super::rewind::Rewind;
use super::steps::VALIDATION;
use super::{Checkpoint, Config, EpochReport, Evaluator, Progress, TermMeans, Transform};
use crate::data::{Column, Split};
use crate::graph::{Device, Plan, Replay, Share};
use crate::model::Model;
use crate::ranks::Ranks;
use crate::{Error, Result};

/// A model in training.
pub struct Trainer {
    pub(super) config: Config,
    pub(super) replay: Replay,
    pub(super) progress: EpochState,
    pub(super) transform: Transform,
    pub(super) constant: ConstantModel,
    pub(super) columns: Vec<Column>,
    pub(super) bytes: bool,
    pub(super) shape: [usize; 3],
    pub(super) data: DataMark,
    pub(super) validation: DataMark,
    pub(super) test: DataMark,
    device: Device,
    pub(super) ranks: Option<Arc<dyn Ranks>>,
    model: Model,
    evaluator: Option<Evaluator>,
    pub(super) chunk: u32,
    /// The state that a step that is not finite goes back to; None where it would stop.
    pub(super) good: Option<Box<Checkpoint>>,
    /// A later one, within the epoch, that takes its place as soon as a step from there is finite.
    pub(super) next_good: Option<Box<Checkpoint>>,
    // Of the epoch under way: time spent, and steps taken in it.
    spent: Duration,
    taken: u64,
}

/// How far a call of [`Trainer::train_on`] came.
#[derive(Clone, Debug, PartialEq)]
pub enum Reached {
    /// So many steps as `save_every` says: a checkpoint is due.
    Save,
    /// A step was not finite, and training went back.
    Rewound(Rewind),
    /// The end of the epoch.
    Epoch(EpochReport),
}

impl Trainer {
    /// Compiles the training plan and uploads the data and the first parameters.
    ///
    /// # Errors
    /// [`Error::Setting`] for settings that make no sense, alone or with this data; what the device refuses.
    pub async fn new(device: &Device, config: &Config, data: &Split) -> Result<Self> {
        Self::among(device, config, data, None).await
    }

    /// As [`Trainer::new`], for one of several ranks that train one model: it takes its share of each batch. All have the same
    /// settings and data, and call each method alike; with one rank, or None, nothing changes.
    ///
    /// # Errors
    /// [`Error::Setting`] for a batch that cannot be shared out.
    pub async fn among(
        device: &Device,
        config: &Config,
        data: &Split,
        ranks: Option<Arc<dyn Ranks>>,
    ) -> Result<Self> {
        config.check()?;
        let config = &config.fitted_to_data(&data.train)?;
        let transform = config.transform(&data.train)?;
        let ranks = ranks.filter(|ranks| ranks.count() > 1);
        Self::with_transform(device, config, data, transform, ranks).await
    }

    // Of a configuration that is fitted to the data.
    pub(super) async fn with_transform(
        device: &Device,
        config: &Config,
        data: &Split,
        transform: Transform,
        ranks: Option<Arc<dyn Ranks>>,
    ) -> Result<Self> {
        let model = Model::new(&config.model, data.train.shape().try_into()?)?;
        let model = model.with_augmentation(config.train.augmentation());
        let images = count(&data.train)?;
        let train = &config.train;
        let update = train.update(images)?;
        let (rank, count) = ranks.as_ref().map_or((0, 1), |ranks| (ranks.rank(), ranks.count()));
        let share = Share::of(rank, count, train.batch)?;
        let plan = |model: &Model| model.training_of(share, images, true, &update, false);
        let (model, mut replay) = transform.replay(device, model, &data.train, plan).await?;
        let running = Running::none(&replay.plan().terms);
        replay.write_initial(train.seed)?;
        let evaluator = match data.validation.len() {
            0 => None,
            _ => Some(Evaluator::new(device, &model, &data.validation, &transform, train.seed).await?),
        };
        let told = !transform.classes.is_empty();
        Ok(Self {
            config: config.clone(),
            replay,
            progress: EpochState { running, ..EpochState::default() },
            constant: ConstantModel::fit(&config.model, &data.train, &transform),
            transform,
            columns: data.train.columns.clone(),
            bytes: data.train.values.are_bytes(),
            shape: data.train.shape(),
            data: DataMark::of(&data.train, told)?,
            validation: DataMark::of(&data.validation, told)?,
            test: DataMark::of(&data.test, told)?,
            device: device.clone(),
            ranks,
            model,
            evaluator,
            chunk: 1,
            good: None,
            next_good: None,
            spent: Duration::ZERO,
            taken: 0,
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
    pub(super) fn steps_until(&self, epochs: u32) -> u64 {
        self.config.train.steps(epochs, self.data.images)
    }

    /// Trains to the end of the epoch and validates. `watch` sees the progress and returns whether to continue.
    ///
    /// # Errors
    /// As [`Trainer::train_on`].
    pub async fn epoch(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<EpochReport> {
        loop {
            if let Reached::Epoch(report) = self.train_on(watch).await? {
                return Ok(report);
            }
        }
    }

    /// Trains to the end of the epoch, and validates then, or to the next step after which a checkpoint is due. `watch`
    /// sees the progress and returns whether to continue. Where a step is not finite and the settings say so, it goes back
    /// to the last state that was good: the one at the epoch's start or at the last due checkpoint.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the step: the device's numbers are then of no use, go back to a checkpoint.
    /// [`Error::Stopped`] where `watch` returned false: the state can then be saved, and the next call continues the
    /// epoch.
    pub async fn train_on(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<Reached> {
        if self.good.is_none() {
            self.keep_good(true).await?;
        }
        match self.reach(watch).await {
            Err(Error::NotFinite { what, value, .. }) if self.good.is_some() => {
                self.go_back(what, value).await.map(Reached::Rewound)
            }
            outcome => outcome,
        }
    }

    async fn reach(&mut self, watch: &mut dyn FnMut(&Progress) -> bool) -> Result<Reached> {
        let epoch = self.steps_until(self.progress.epoch + 1);
        let save =
            self.config.train.save_every.map_or(epoch, |every| {
                (self.progress.step / u64::from(every) + 1).saturating_mul(every.into())
            });
        let (began, before) = (Instant::now(), self.progress.step);
        let outcome = self.train_to(epoch.min(save), watch).await;
        self.spent += began.elapsed();
        self.taken += self.progress.step - before;
        if matches!(outcome, Err(Error::Stopped)) && self.progress.step == save && save < epoch {
            // An uninterrupted run keeps this state too.
            self.keep_good(false).await?;
        }
        outcome?;
        let reached = if save < epoch { Reached::Save } else { Reached::Epoch(self.finish().await?) };
        self.keep_good(save >= epoch).await?;
        Ok(reached)
    }

    async fn finish(&mut self) -> Result<EpochReport> {
        let seconds = self.spent.as_secs_f64();
        let images = self.taken * u64::from(self.config.train.batch);
        let validation = self.validate().await?;
        let train = Running::means(&self.progress.running, self.model.terms());
        let means = validation.as_ref().unwrap_or(&train);
        let (total, ranked) = (means.total(), means.objective());
        if !total.is_finite() {
            return Err(self.not_finite(VALIDATION, total as f32));
        }
        let best = self.progress.best_bits.is_none_or(|best| ranked < best.0);
        self.progress.best_bits = if best { Some(Bits(ranked)) } else { self.progress.best_bits };
        let learning_rate = self.rate_of(self.progress.step.saturating_sub(1));
        self.wait(best).await?;
        self.progress.epoch += 1;
        self.progress.running = Running::none(self.model.terms());
        (self.spent, self.taken) = (Duration::ZERO, 0);
        Ok(EpochReport {
            learning_rate,
            rewinds: std::mem::take(&mut self.progress.rewinds),
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
        let Some(ranks) = &self.ranks else { return evaluator.evaluate(&self.replay).await.map(Some) };
        // What is decided by it must be decided alike.
        let mut means = vec![0.0; self.model.terms().len()];
        if ranks.rank() == 0 {
            let of = evaluator.evaluate(&self.replay).await?;
            means.iter_mut().zip(of.iter()).for_each(|(mean, (_, value))| *mean = value);
        }
        ranks.spread(&mut means)?;
        Ok(Some(TermMeans::new(self.model.terms(), means)))
    }

    pub(super) fn current(&self) -> Progress {
        let [start, end] = [0, 1].map(|more| self.steps_until(self.progress.epoch + more));
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
