//! How a training run moves parameters, and how its learning rate follows the number of the step.

use serde::{Deserialize, Serialize};

use super::{TrainConfig, Trainer};
use crate::graph::{Fall, RateSchedule, Update};
use crate::{Error, Result};

/// How the learning rate changes over the run's epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// It stays the same.
    #[default]
    Constant,
    /// It falls in a straight line to zero, which it would reach one step after the last.
    Linear,
    /// It falls to zero as half a cosine (Loshchilov and Hutter 2016, equation 5, without restarts).
    Cosine,
    /// It falls whenever some epochs in a row brought no better objective on the validation images.
    Plateau,
}

impl ScheduleKind {
    /// Whether it falls to zero over the run's epochs, whose number is then fixed.
    pub const fn falls_to_zero(self) -> bool {
        matches!(self, Self::Linear | Self::Cosine)
    }
}

// Of a plateau, where they are not given.
const PLATEAU_PATIENCE: u32 = 3;
const PLATEAU_FACTOR: f32 = 0.5;
// How often training goes back, where it is not given.
const REWINDS: u32 = 3;

/// A tenth of a learning rate, to be proposed: of 0.001, which is a little more in 32 bits, 0.0001.
pub(crate) fn tenth(rate: f32) -> f32 {
    let written = rate.to_string().parse().unwrap_or(f64::from(rate));
    (written / 10.0) as f32
}

impl TrainConfig {
    /// The steps that complete `epochs` passes over `images`: batches run on from one pass into the next.
    pub(super) fn steps(&self, epochs: u32, images: u32) -> u64 {
        (u64::from(epochs) * u64::from(images)).div_ceil(u64::from(self.batch.max(1)))
    }

    /// How each training step over `images` moves parameters. A learning rate can fall over fewer than 2^32 steps.
    pub fn update(&self, images: u32) -> Result<Update> {
        let schedule = self.rate_schedule(images)?;
        Ok(Update::default().by(self.optimizer(), self.learning_rate).schedule(schedule).clip(self.clip()))
    }

    fn rate_schedule(&self, images: u32) -> Result<RateSchedule> {
        let (steps, warmup) = (self.steps(self.epochs, images), self.warmup.unwrap_or(0));
        if u64::from(warmup) >= steps {
            return Err(Error::setting("warmup", format!("fewer steps than the run's {steps}"), warmup));
        }
        let falling = || {
            let falling = u32::try_from(steps - u64::from(warmup));
            falling.map_err(|_| Error::setting("epochs", "fewer than 2^32 steps", steps))
        };
        let fall = match self.schedule {
            ScheduleKind::Constant | ScheduleKind::Plateau => Fall::Constant,
            ScheduleKind::Linear => Fall::Linear(falling()?),
            ScheduleKind::Cosine => Fall::Cosine(falling()?),
        };
        Ok(RateSchedule { warmup, fall })
    }

    /// The learning rate of the step after `step` others, by the schedule alone.
    pub(super) fn rate(&self, step: u64, images: u32) -> f32 {
        let schedule = self.rate_schedule(images).unwrap_or_default();
        let share = schedule.share(u32::try_from(step).unwrap_or(u32::MAX));
        (f64::from(self.learning_rate) * share) as f32
    }

    /// The epochs that a plateau lasts, and the factor that the learning rate falls by; None for another schedule.
    pub(super) fn plateau(&self) -> Option<(u32, f32)> {
        let patience = self.plateau_patience.unwrap_or(PLATEAU_PATIENCE);
        let factor = self.plateau_factor.unwrap_or(PLATEAU_FACTOR);
        (self.schedule == ScheduleKind::Plateau).then_some((patience, factor))
    }

    /// How often training goes back at most, where it does.
    pub(super) fn rewinds(&self) -> u32 {
        self.rewinds.unwrap_or(REWINDS)
    }

    /// Refuses to resume a run of these settings with another number of epochs, where its learning rate falls over them.
    pub(super) fn check_epochs(&self, epochs: u32) -> Result<()> {
        if !self.schedule.falls_to_zero() || epochs == self.epochs {
            return Ok(());
        }
        let expected = format!("the {} over which the run's learning rate falls to zero", self.epochs);
        Err(Error::setting("epochs", expected, epochs))
    }
}

impl Trainer {
    /// Whether all epochs are done, or those in a row that `patience` allows brought nothing better.
    pub fn is_done(&self) -> bool {
        self.progress.epoch >= self.config.train.epochs || self.is_out_of_patience()
    }

    /// Whether as many epochs in a row as `patience` allows brought no better objective.
    pub fn is_out_of_patience(&self) -> bool {
        self.config.train.patience.is_some_and(|patience| self.progress.waited[0] >= patience)
    }

    // Counts an epoch that was not the best; on a plateau the learning rate falls.
    pub(super) async fn wait(&mut self, best: bool) -> Result<()> {
        let train = &self.config.train;
        let plateau = train.plateau();
        if train.patience.is_none() && plateau.is_none() {
            return Ok(());
        }
        self.progress.waited = self.progress.waited.map(|waited| if best { 0 } else { waited + 1 });
        match plateau {
            Some((patience, factor)) if self.progress.waited[1] >= patience => {
                self.progress.waited[1] = 0;
                self.scale_rates(factor).await
            }
            _ => Ok(()),
        }
    }

    pub(super) async fn scale_rates(&mut self, factor: f32) -> Result<()> {
        self.progress.factor.0 *= factor;
        self.replay.scale_rates(factor).await
    }

    /// The learning rate of the step after `step` others.
    pub(super) fn rate_of(&self, step: u64) -> f32 {
        self.config.train.rate(step, self.data.images) * self.progress.factor.0
    }
}
