//! How a training run moves parameters, and how its learning rate follows the number of the step.

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use crate::graph::{Falling, RateSchedule, Update};
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
}

impl TrainConfig {
    /// The steps that complete `epochs` passes over `images`: batches run on from one pass into the next.
    pub(super) fn steps(&self, epochs: u32, images: u32) -> u64 {
        (u64::from(epochs) * u64::from(images)).div_ceil(u64::from(self.batch.max(1)))
    }

    /// How each training step over `images` moves parameters. A learning rate can fall over fewer than 2^32 steps.
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

    /// Refuses to resume a run of these settings with another number of epochs, where its learning rate falls over them.
    pub(super) fn check_epochs(&self, epochs: u32) -> Result<()> {
        if self.schedule == ScheduleKind::Constant || epochs == self.epochs {
            return Ok(());
        }
        let expected = format!("the {} over which the run's learning rate falls to zero", self.epochs);
        Err(Error::setting("epochs", expected, epochs))
    }
}
