//! What training reports: losses in nats per image, and how far it is.

use serde::{Deserialize, Serialize};

/// Loss terms of images, each summed over pixels or code and averaged over images, unweighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// Reconstruction: nats per image, or squared error per image with that likelihood.
    pub reconstruction: f64,
    /// KL of the code to the prior: nats per image. Zero where the model has none.
    pub kl: f64,
}

impl Losses {
    /// The weighted sum that runs are ranked by. With weight 1 it is the negative ELBO.
    pub fn objective(&self, kl_weight: f32) -> f64 {
        self.reconstruction + f64::from(kl_weight) * self.kl
    }

    pub(super) fn term(&mut self, name: &str) -> &mut f64 {
        if name == "kl" { &mut self.kl } else { &mut self.reconstruction }
    }
}

/// Sums over the steps of the epoch under way. Kept in checkpoints so that a resumed epoch reports the
/// same means.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct RunningLosses {
    pub(super) sum: Losses,
    pub(super) steps: u64,
}

impl RunningLosses {
    pub(super) fn mean(&self) -> Losses {
        let steps = self.steps.max(1) as f64;
        Losses { reconstruction: self.sum.reconstruction / steps, kl: self.sum.kl / steps }
    }
}

/// Where training stands, for progress bars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The epoch under way, from 1.
    pub epoch: u32,
    /// Steps done in this epoch.
    pub step: u64,
    /// Steps in this epoch.
    pub steps: u64,
    /// Images a step.
    pub batch: u32,
    /// Mean losses of this epoch so far.
    pub losses: Losses,
}

/// What an epoch came to: one line of `metrics.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Steps since the run began.
    pub step: u64,
    /// Mean over the epoch's steps, while parameters moved.
    pub train: Losses,
    /// Over the validation images after the epoch; absent without any.
    pub validation: Option<Losses>,
    /// Whether no epoch before ranked better.
    pub best: bool,
    /// Training time of this epoch, without validation.
    pub seconds: f64,
    /// Images trained on each second.
    pub images_per_second: f64,
}
