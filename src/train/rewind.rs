//! Going back from a step that is not finite to the last state that was good.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::schedule::tenth;
use super::{Checkpoint, Trainer};
use crate::kernels::floats;
use crate::{Error, Result};

/// What training does after a loss or a parameter that is not finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnNan {
    /// It stops.
    #[default]
    Stop,
    /// It goes back to the last good state and tries again in another way.
    Rewind,
}

/// How training went back once. The order of the data stays what the seed says, so something else has to change: the step
/// that fails whatever the learning rate is left out, and otherwise the learning rate is halved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rewind {
    /// The step that failed, counted from 1.
    pub step: u64,
    /// What was not finite: the loss, or a parameter by its name.
    pub what: String,
    /// Its value: `NaN`, `inf` or `-inf`.
    pub value: String,
    /// The steps that were done in the state that training went back to.
    pub back_to: u64,
    /// The learning rate of the next step.
    pub learning_rate: f32,
    /// The step whose images train nothing from now on; None where the learning rate was halved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
}

impl fmt::Display for Rewind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, what, value, back_to, learning_rate, .. } = self;
        write!(f, "{what} is {value} at step {step}; back to the state after step {back_to}, ")?;
        match self.left_out {
            Some(left_out) => write!(f, "without step {left_out}, which fails at half the learning rate too"),
            None => write!(f, "with half the learning rate, {learning_rate}"),
        }
    }
}

impl Trainer {
    fn rewinds(&self) -> bool {
        self.config.train.on_nan == OnNan::Rewind
    }

    /// The state that a failing step would go back to, where it does; None before the first step.
    pub fn good(&self) -> Option<&Checkpoint> {
        let next = self.next_good.as_deref().filter(|_| self.progress.finite > 0);
        next.or(self.good.as_deref())
    }

    /// After [`Trainer::restore`] of `checkpoint`: the state that a failing step goes back to, as [`Trainer::good`] gave it
    /// where `checkpoint` was made. One of another run, or of later steps, is left alone, as any at an epoch's
    /// end, which is good itself.
    pub fn set_good(&mut self, good: Checkpoint, checkpoint: &Checkpoint) {
        let fits = good.config.model == self.config.model && good.data == self.data;
        if !self.rewinds() || !fits || checkpoint.ends_epoch() || good.step() > checkpoint.step() {
            return;
        }
        let is_next = checkpoint.progress.finite == 0 && good.step() < checkpoint.step();
        self.next_good = is_next.then(|| Box::new(checkpoint.clone()));
        self.good = Some(Box::new(good));
    }

    /// Keeps the present state to go back to: at once where it is `sure`, as one whose epoch was validated, or else when a
    /// step from there was finite.
    pub(super) async fn keep_good(&mut self, sure: bool) -> Result<()> {
        if !self.rewinds() {
            return Ok(());
        }
        if self.progress.finite > 0 {
            self.good = self.next_good.take().or(self.good.take());
            (self.progress.tries, self.progress.finite) = (0, 0);
        }
        let state = Some(Box::new(self.checkpoint().await?));
        (self.good, self.next_good) = if sure { (state, None) } else { (self.good.take(), state) };
        Ok(())
    }

    /// The next step behind `step` that is left out.
    pub(super) fn left_out_behind(&self, step: u64) -> Option<u64> {
        let left_out = self.progress.rewinds.iter().filter_map(|rewind| rewind.left_out);
        left_out.filter(|left_out| *left_out > step).min()
    }

    /// Back to the good state. A step that is not finite there either is left out, as is one that makes the step behind it
    /// so at half the rate; otherwise the rate is halved. At most `rewinds` times from one state, and as many halvings in
    /// all.
    pub(super) async fn go_back(&mut self, what: String, value: f32) -> Result<Rewind> {
        let step = self.progress.step;
        let Some(good) = self.good().cloned() else { return Err(self.not_finite(what, value)) };
        let known = &good.progress;
        let (back_to, tries) = (known.step, known.tries);
        let most = self.config.train.rewinds();
        let culprit = if self.fails(&good, step..=step).await? {
            Some(step)
        } else if step > back_to + 1 && self.fails(&good, step - 1..=step).await? {
            Some(step - 1)
        } else {
            None
        };
        self.return_to(&good)?;
        let used_up = tries >= most || culprit.is_none() && known.halvings >= most;
        if used_up {
            let rate = self.rate_of(back_to);
            let advice = format!(
                "Training went back {tries} times without getting on, at last to the state after step {back_to} with a \
                 learning rate of {rate}, and {}",
                match culprit {
                    Some(step) => format!(
                        "step {step} fails from there at half the rate too: check the data and the settings, or go on from \
                         an earlier state (--resume RUN --from previous --learning-rate {})",
                        tenth(rate)
                    ),
                    None => "may do so no more (--rewinds)".to_owned(),
                }
            );
            return Err(Error::NotFinite { what, step, value, advice, kept: String::new() });
        }
        if culprit.is_none() {
            self.scale_rates(0.5).await?;
            self.progress.halvings += 1;
        }
        let learning_rate = self.rate_of(back_to);
        let rewind =
            Rewind { step, what, value: value.to_string(), back_to, learning_rate, left_out: culprit };
        self.progress.rewinds.push(rewind.clone());
        self.progress.tries += 1;
        self.keep_good(true).await?;
        Ok(rewind)
    }

    fn return_to(&mut self, good: &Checkpoint) -> Result<()> {
        self.replay.write_slots(&good.slots)?;
        self.replay.write_state(&good.state)?;
        self.progress = good.progress.clone();
        Ok(())
    }

    // Whether these steps, by themselves and at half the rate, lead from the good state to numbers that are not finite.
    async fn fails(&mut self, good: &Checkpoint, steps: std::ops::RangeInclusive<u64>) -> Result<bool> {
        self.return_to(good)?;
        self.scale_rates(0.5).await?;
        let (before, count) = (steps.start() - 1, (steps.end() - steps.start() + 1) as u32);
        let passed = before - self.progress.step;
        self.replay.pass_over(u32::try_from(passed).unwrap_or(u32::MAX)).await?;
        self.progress.step = before;
        let mut noted = Ok(());
        for _ in 0..count {
            let pending = self.replay.submit(1, "ring")?;
            let ring = self.replay.wait(pending).await?;
            noted = noted.and(self.note(1, floats(&ring)));
        }
        // What it leaves must be finite too.
        let outcome = match noted {
            Ok(()) => self.checkpoint().await.map(drop),
            failed => failed,
        };
        match outcome {
            Ok(()) => Ok(false),
            Err(Error::NotFinite { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}
