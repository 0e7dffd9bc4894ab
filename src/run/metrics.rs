//! `metrics.jsonl`: an epoch a line, a column for each term, written and read.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::train::{EpochReport, TermMeans};
use crate::{Error, Result};

/// What "per image" means of a term, in every report.
pub const PER_IMAGE: &str = "each term's sum for an image, averaged over images, unweighted";

/// The columns of one set of images: what each term came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// Of each term by its name, the mean per image.
    pub terms: BTreeMap<String, f64>,
    /// What runs are ranked by.
    pub objective: f64,
    /// The evidence lower bound in nats per image, where the terms are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elbo: Option<f64>,
    /// The reconstruction by pixel, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconstruction_per_pixel: Option<f64>,
}

impl From<&TermMeans> for Columns {
    fn from(means: &TermMeans) -> Self {
        let per_pixel =
            means.reconstruction().and_then(|(term, value)| Some(value / f64::from(term.pixels?)));
        Self {
            terms: means.iter().map(|(term, value)| (term.name.clone(), value)).collect(),
            objective: means.objective(),
            elbo: means.elbo(),
            reconstruction_per_pixel: per_pixel,
        }
    }
}

/// What a line says of a term.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TermColumn {
    /// Its name.
    pub name: String,
    /// What it is counted in.
    pub unit: String,
    /// What its value is a sum over.
    pub over: String,
    /// What it is multiplied by in what is minimized.
    pub weight: f32,
    /// What else that is divided by.
    pub averaged_over: u32,
}

/// An epoch as a line of JSON, which says what its numbers are for whoever finds it alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricsLine {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Steps since the run began.
    pub step: u64,
    /// What the numbers are.
    pub per_image: String,
    /// The terms, in the order of the step.
    pub columns: Vec<TermColumn>,
    /// Means over the epoch's steps, while parameters moved.
    pub train: Columns,
    /// Over the validation images after the epoch.
    pub validation: Option<Columns>,
    /// Whether no epoch before ranked better.
    pub best: bool,
    /// Training time of this epoch, without validation.
    pub seconds: f64,
    /// Images trained on each second.
    pub images_per_second: f64,
}

impl From<&EpochReport> for MetricsLine {
    fn from(report: &EpochReport) -> Self {
        let column = |(term, _): (&crate::graph::TermSpec, f64)| TermColumn {
            name: term.name.clone(),
            unit: term.unit.clone(),
            over: term.over.clone(),
            weight: term.weight,
            averaged_over: term.averaged_over,
        };
        Self {
            epoch: report.epoch,
            step: report.step,
            per_image: PER_IMAGE.to_owned(),
            columns: report.train.iter().map(column).collect(),
            train: (&report.train).into(),
            validation: report.validation.as_ref().map(Columns::from),
            best: report.best,
            seconds: report.seconds,
            images_per_second: report.images_per_second,
        }
    }
}

impl MetricsLine {
    /// As JSON, without a line break.
    ///
    /// # Errors
    /// [`Error::Setting`] where a number has no JSON form, which finite means rule out.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::setting("metrics", "finite numbers", error))
    }
}

/// The epochs in a run's `metrics.jsonl`, of this version or an earlier one; lines that are neither are left out.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsLine>> {
    let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
    Ok(text.lines().filter_map(line).collect())
}

pub(super) fn line(text: &str) -> Option<MetricsLine> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(text).ok().map(EarlierLine::brought_up))
}

// A line of the version that knew a reconstruction and one penalty.
#[derive(Deserialize)]
struct EarlierLine {
    epoch: u32,
    step: u64,
    unit: String,
    #[serde(default)]
    penalty: Option<String>,
    #[serde(default)]
    penalty_weight: Option<f32>,
    train: EarlierLosses,
    validation: Option<EarlierLosses>,
    best: bool,
    seconds: f64,
    images_per_second: f64,
}

#[derive(Deserialize)]
struct EarlierLosses {
    reconstruction_per_image: f64,
    reconstruction_per_pixel: f64,
    #[serde(default, alias = "kl_nats_per_image")]
    penalty_per_image: Option<f64>,
}

impl EarlierLine {
    fn brought_up(self) -> MetricsLine {
        let Self { penalty, penalty_weight, .. } = &self;
        let weight = penalty_weight.unwrap_or(0.0);
        let column = |name: &str, unit: &str, over: &str, weight| TermColumn {
            name: name.to_owned(),
            unit: unit.to_owned(),
            over: over.to_owned(),
            weight,
            averaged_over: 1,
        };
        let mut columns = vec![column("reconstruction", &self.unit, "pixels", 1.0)];
        columns.extend(penalty.as_ref().map(|name| column(name, "", "the code", weight)));
        let of = |losses: &EarlierLosses| {
            let mut terms = BTreeMap::from([("reconstruction".to_owned(), losses.reconstruction_per_image)]);
            terms.extend(penalty.clone().zip(losses.penalty_per_image));
            let bound = self.unit == "nats" && penalty.as_deref() == Some("kl");
            Columns {
                objective: terms.values().zip([1.0, f64::from(weight)]).map(|(value, by)| value * by).sum(),
                elbo: bound.then(|| -terms.values().sum::<f64>()),
                terms,
                reconstruction_per_pixel: Some(losses.reconstruction_per_pixel),
            }
        };
        MetricsLine {
            epoch: self.epoch,
            step: self.step,
            per_image: PER_IMAGE.to_owned(),
            train: of(&self.train),
            validation: self.validation.as_ref().map(of),
            columns,
            best: self.best,
            seconds: self.seconds,
            images_per_second: self.images_per_second,
        }
    }
}
