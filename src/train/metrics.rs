//! What training reports: losses in nats per image, and how far it is.

use serde::Serialize;

use crate::model::Model;
use crate::{Error, Result};

/// What "per image" means of a loss, in every report.
pub const PER_IMAGE: &str = "sum over pixels and code, mean over images";

/// Loss terms of images, each summed over pixels or code and averaged over images, unweighted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// Reconstruction: nats per image, or squared error per image with that likelihood.
    pub reconstruction: f64,
    /// The model's [`Penalty`](crate::model::Penalty) per image: of a Gaussian code the KL to the prior in nats.
    /// Zero where the model has none.
    pub penalty: f64,
}

impl Losses {
    /// What training minimizes and runs are ranked by: the reconstruction, and the penalty with its weight.
    /// The negative ELBO where that is 1 times the KL and the likelihood is a probability.
    pub fn objective(&self, model: &Model) -> f64 {
        self.reconstruction + model.penalty_weight_per_image() * self.penalty
    }

    /// The evidence lower bound, nats per image; None where the model has no prior, or its reconstruction is
    /// not judged by a probability.
    pub fn elbo(&self, model: &Model) -> Option<f64> {
        let bound = model.has_prior() && model.config().likelihood.is_probability();
        bound.then_some(-self.reconstruction - self.penalty)
    }

    pub(super) fn term(&mut self, name: &str) -> &mut f64 {
        if name == "reconstruction" { &mut self.reconstruction } else { &mut self.penalty }
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
        Losses { reconstruction: self.sum.reconstruction / steps, penalty: self.sum.penalty / steps }
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
    /// Steps done since the run began.
    pub run_step: u64,
    /// Steps the whole run will take.
    pub run_steps: u64,
    /// Images a step.
    pub batch: u32,
    /// Mean losses of this epoch so far.
    pub losses: Losses,
}

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq)]
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

// Says what its numbers are, for whoever finds the line alone.
#[derive(Serialize)]
struct Line {
    epoch: u32,
    step: u64,
    unit: &'static str,
    per_image: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    penalty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    penalty_weight: Option<f32>,
    train: LineLosses,
    validation: Option<LineLosses>,
    best: bool,
    seconds: f64,
    images_per_second: f64,
}

#[derive(Serialize)]
struct LineLosses {
    reconstruction_per_image: f64,
    reconstruction_per_pixel: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    kl_nats_per_image: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    penalty_per_image: Option<f64>,
}

impl LineLosses {
    fn new(losses: &Losses, model: &Model) -> Self {
        let penalty = model.penalty().map(|_| losses.penalty);
        Self {
            reconstruction_per_image: losses.reconstruction,
            reconstruction_per_pixel: losses.reconstruction / f64::from(model.pixels()),
            kl_nats_per_image: penalty.filter(|_| model.has_prior()),
            penalty_per_image: penalty.filter(|_| !model.has_prior()),
        }
    }
}

/// An epoch of `model` as one line of JSON, as in `metrics.jsonl`.
///
/// # Errors
/// [`Error::Setting`] where a number has no JSON form, which finite losses rule out.
pub fn json_line(report: &EpochReport, model: &Model) -> Result<String> {
    let line = Line {
        epoch: report.epoch,
        step: report.step,
        unit: model.config().likelihood.unit(),
        per_image: PER_IMAGE,
        penalty: model.penalty().map(|penalty| penalty.name),
        penalty_weight: model.penalty().map(|penalty| penalty.weight),
        train: LineLosses::new(&report.train, model),
        validation: report.validation.map(|losses| LineLosses::new(&losses, model)),
        best: report.best,
        seconds: report.seconds,
        images_per_second: report.images_per_second,
    };
    serde_json::to_string(&line).map_err(|error| Error::setting("metrics", "finite numbers", error))
}
