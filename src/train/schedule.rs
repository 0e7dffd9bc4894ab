//! What of a training run follows the number of the step: the learning rate, and the weight of the KL.

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use crate::graph::Update;
use crate::kernels::state::State;
use crate::kernels::step::{Falling, RateSchedule, Schedule, Warmup};
use crate::{Error, Result};

/// How the learning rate goes over the run's epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleKind {
    /// It stays as it is.
    #[default]
    Constant,
    /// It falls in a straight line to zero, which the step behind the last would have.
    Linear,
    /// It falls to zero as half a cosine does (Loshchilov and Hutter 2016, equation 5, without restarts).
    Cosine,
}

/// How the weight of the KL to the prior comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WarmupKind {
    /// It is there from the start.
    #[default]
    None,
    /// It rises from zero in a straight line (Bowman et al. 2016, section 3.1).
    Linear,
    /// It rises from zero in the first half of each cycle, and stays for the other (Fu et al. 2019, section 4).
    Cyclical,
}

impl TrainConfig {
    /// The steps that complete `epochs` passes over `images`: batches run on from one pass into the next.
    pub(super) fn steps(&self, epochs: u32, images: u32) -> u64 {
        (u64::from(epochs) * u64::from(images)).div_ceil(u64::from(self.batch.max(1)))
    }

    /// The schedule these settings mean for a run over `images`.
    ///
    /// # Errors
    /// [`Error::Setting`] for a falling learning rate or a warm-up of more steps than 32 bits count.
    pub fn schedule(&self, images: u32) -> Result<Schedule> {
        let steps = |setting: &str, epochs: u32| {
            let steps = self.steps(epochs, images);
            u32::try_from(steps).map_err(|_| Error::setting(setting, "fewer than 2^32 steps", steps))
        };
        let falling = || Ok(Falling { rate: self.learning_rate, steps: steps("epochs", self.epochs)? });
        let warmup = |cycles, rise| {
            Ok(Warmup { steps: steps("kl_warmup_epochs", self.kl_warmup_epochs)?, cycles, rise })
        };
        Ok(Schedule {
            rate: match self.schedule {
                ScheduleKind::Constant => RateSchedule::Constant,
                ScheduleKind::Linear => RateSchedule::Linear(falling()?),
                ScheduleKind::Cosine => RateSchedule::Cosine(falling()?),
            },
            warmup: match self.kl_warmup {
                WarmupKind::None => Warmup::NONE,
                WarmupKind::Linear => warmup(1, 1.0)?,
                WarmupKind::Cyclical => warmup(self.kl_cycles, 0.5)?,
            },
        })
    }

    /// How each training step over `images` ends.
    ///
    /// # Errors
    /// As [`TrainConfig::schedule`].
    pub fn update(&self, images: u32) -> Result<Update> {
        Ok(Update { optimizer: self.optimizer(), schedule: self.schedule(images)? })
    }

    /// The state before the first step over `images`.
    ///
    /// # Errors
    /// As [`TrainConfig::schedule`].
    pub fn first_state(&self, images: u32) -> Result<State> {
        let kl_share = self.schedule(images)?.warmup.share(0) as f32;
        Ok(State { kl_share, ..State::new(self.seed, self.learning_rate, self.optimizer().betas()) })
    }

    /// Whether a run of these settings can go on for `epochs` instead.
    pub(super) fn check_epochs(&self, epochs: u32) -> Result<()> {
        if self.schedule == ScheduleKind::Constant || epochs == self.epochs {
            return Ok(());
        }
        let expected = format!("the {} over which the run's learning rate falls to zero", self.epochs);
        Err(Error::setting("epochs", expected, epochs))
    }
}
