//! Steps on the device: one submit is under way while the one before is read.

use web_time::{Duration, Instant};

use super::{Progress, Trainer};
use crate::graph::{Pending, Plan};
use crate::kernels::floats;
use crate::ranks::Ranks;
use crate::{Error, Result};

// Long enough to hide a submit's cost, short enough for a progress bar and for Ctrl-C.
const CHUNK: Duration = Duration::from_millis(100);

/// What is not finite where the numbers of an epoch's validation are not.
pub(super) const VALIDATION: &str = "the validation loss";

impl Trainer {
    // Keeps one submit under way while the one before is read, so that the device never waits.
    pub(super) async fn train_to(
        &mut self,
        end: u64,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<()> {
        if let Some(ranks) = self.ranks.clone() {
            return self.train_among(ranks.as_ref(), end, watch).await;
        }
        let mut submitted = self.progress.step;
        let mut flying: Option<(u32, Pending)> = None;
        let mut going = true;
        let mut since = Instant::now();
        while flying.is_some() || (going && submitted < end) {
            let mut next = None;
            let until = self.left_out_behind(submitted).map_or(end, |step| end.min(step - 1));
            if going && submitted < end && submitted == until && flying.is_none() {
                self.replay.pass_over(1).await?;
                self.progress.step += 1;
                submitted += 1;
                continue;
            }
            if going && submitted < until {
                let steps = u64::from(self.chunk).min(until - submitted) as u32;
                next = Some((steps, self.replay.submit(steps, "ring")?));
                submitted += u64::from(steps);
            }
            if let Some((steps, pending)) = flying.take() {
                let ring = self.replay.wait(pending).await?;
                self.note(steps, floats(&ring))?;
                going &= watch(&self.current());
                self.adapt_chunk(since.elapsed());
                since = Instant::now();
            }
            flying = next;
        }
        if going { Ok(()) } else { Err(Error::Stopped) }
    }

    // As one of several ranks, step by step: they add up their means too, and stop together.
    async fn train_among(
        &mut self,
        ranks: &dyn Ranks,
        end: u64,
        watch: &mut dyn FnMut(&Progress) -> bool,
    ) -> Result<()> {
        while self.progress.step < end {
            if self.left_out_behind(self.progress.step) == Some(self.progress.step + 1) {
                self.replay.pass_over(1).await?;
                self.progress.step += 1;
                continue;
            }
            let ring = self.replay.step_among(ranks, "ring").await?;
            let mut told = floats(&ring).to_vec();
            let going = watch(&self.current());
            told.push(if going { 0.0 } else { 1.0 });
            ranks.sum(&mut told)?;
            let stopped = told.pop().is_some_and(|stopped| stopped > 0.0);
            self.note(1, &told)?;
            if stopped {
                return Err(Error::Stopped);
            }
        }
        Ok(())
    }

    fn adapt_chunk(&mut self, took: Duration) {
        if took < CHUNK / 2 {
            self.chunk = (self.chunk * 2).min(self.replay.most_steps());
        } else if took > CHUNK * 2 {
            self.chunk = (self.chunk / 2).max(1);
        }
    }

    // Adds the ring's newest steps to the epoch's sums.
    pub(super) fn note(&mut self, steps: u32, ring: &[f32]) -> Result<()> {
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
            // Only where it counts: other checkpoints have no such number.
            self.progress.finite += u32::from(self.good.is_some());
        }
        Ok(())
    }

    pub(super) fn not_finite(&self, what: impl Into<String>, value: f32) -> Error {
        let what = what.into();
        let advice = match self.progress.step {
            _ if what == VALIDATION => {
                "Check the numbers of the validation part and the scale, or lower the learning rate"
            }
            // Its parameters are those that it began with.
            1 => {
                "No parameter has moved yet, so a lower learning rate does not help: check the likelihood's settings and \
                  the data's scale"
            }
            _ => {
                "Lower the learning rate, clip gradients (--clip-norm), or let it go back by itself (--on-nan rewind)"
            }
        };
        let (advice, kept) = (advice.to_owned(), String::new());
        Error::NotFinite { what, step: self.progress.step, value, advice, kept }
    }
}
