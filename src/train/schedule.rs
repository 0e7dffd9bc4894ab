//! How a training run moves parameters, and how its learning rate follows the number of the step.

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use crate::graph::{Falling, RateSchedule, Update};
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

impl TrainConfig {
    /// The steps that complete `epochs` passes over `images`: batches run on from one pass into the next.
    pub(super) fn steps(&self, epochs: u32, images: u32) -> u64 {
        (u64::from(epochs) * u64::from(images)).div_ceil(u64::from(self.batch.max(1)))
    }

    /// How each training step over `images` moves parameters.
    ///
    /// # Errors
    /// [`Error::Setting`] for a falling learning rate of more steps than 32 bits count.
    pub fn update(&self, images: u32) -> Result<Update> {
        let steps = || {
            let steps = self.steps(self.epochs, images);
            u32::try_from(steps).map_err(|_| Error::setting("epochs", "fewer than 2^32 steps", steps))
        };
        let falling = || Ok::<_, Error>(Falling { rate: self.learning_rate, steps: steps()? });
        let schedule = match self.schedule {
            ScheduleKind::Constant => RateSchedule::Constant,
            ScheduleKind::Linear => RateSchedule::Linear(falling()?),
            ScheduleKind::Cosine => RateSchedule::Cosine(falling()?),
        };
        Ok(Update::default().by(self.optimizer(), self.learning_rate).schedule(schedule).clip(self.clip()))
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
