//! `metrics.jsonl`: a line per epoch, a column per term, written and read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::str::Utf8Error;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::data::Items;
use crate::train::{EpochReport, Rewind, TermMeans};
use crate::{Error, Result};

/// The metrics in a run's folder.
pub const METRICS: &str = crate::data::written::METRICS;

/// The columns of one set of images.
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

/// The description of a term.
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

/// An epoch as a line of JSON, which explains its own numbers.
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
    /// Training time of this epoch, without validation; 0 where the line was lost and comes from the checkpoint.
    pub seconds: f64,
    /// Images trained on each second.
    pub images_per_second: f64,
    /// The learning rate of the epoch's last step; None in a line of a version that did not write it.
    #[serde(default)]
    pub learning_rate: Option<f32>,
    /// How training went back in this epoch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewinds: Vec<Rewind>,
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
            per_image: Items::Images.reported(),
            columns: report.train.iter().map(column).collect(),
            train: (&report.train).into(),
            validation: report.validation.as_ref().map(Columns::from),
            best: report.best,
            seconds: report.seconds,
            images_per_second: report.images_per_second,
            learning_rate: Some(report.learning_rate),
            rewinds: report.rewinds.clone(),
        }
    }
}

impl MetricsLine {
    /// The same with times of zero.
    pub(super) fn without_times(&self) -> Self {
        Self { seconds: 0.0, images_per_second: 0.0, ..self.clone() }
    }

    /// As JSON, without a line break.
    ///
    /// # Errors
    /// [`Error::Setting`] for a number that is not finite.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::setting("metrics", "finite numbers", error))
    }
}

/// The epochs in a run's `metrics.jsonl`, of this version or an earlier one; other lines are left out.
///
/// # Errors
/// [`Error::Io`] where the file cannot be read.
pub fn read_metrics(path: &Path) -> Result<Vec<MetricsLine>> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    Ok(lines(&bytes).filter_map(|text| line(text.ok()?)).collect())
}

// The lines that are not empty; an error for one that is no text.
fn lines(bytes: &[u8]) -> impl DoubleEndedIterator<Item = Result<&str, Utf8Error>> {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(std::str::from_utf8)
}

fn line(text: &str) -> Option<MetricsLine> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_value(brought_up(text)?).ok())
}

/// The metrics of a run up to an epoch, as they should be.
pub(super) struct Trimmed {
    /// The good lines up to that epoch.
    pub(super) kept: String,
    /// What is amiss, in words.
    pub(super) remark: Option<String>,
    /// Whether the file had lines that this loses: damaged ones, or several of one epoch.
    pub(super) loses: bool,
}

/// The lines of the epochs that are done, which begin behind the first of `epochs` and end with the other. A run that died
/// between its checkpoint and its metrics lacks a line, or has half of one: it is among those that the checkpoint `keeps`.
pub(super) fn trim(bytes: &[u8], keeps: &[String], epochs: Range<u32>) -> Trimmed {
    let Range { start: begun, end: done } = epochs;
    let all: Vec<Option<(u32, bool, &str)>> = lines(bytes).map(|text| of_epoch(text.ok()?)).collect();
    let torn = all.last().is_some_and(Option::is_none);
    let mut damaged = all.iter().filter(|line| line.is_none()).count();
    let mut good: Vec<(u32, bool, &str)> = all.into_iter().flatten().filter(|line| line.0 <= done).collect();
    let count = good.len();
    let sorted = good.is_sorted_by_key(|line| line.0);
    good.sort_by_key(|line| line.0);
    // Of two processes that trained one run: the one that came last wrote the checkpoint.
    let mut seen = BTreeSet::new();
    good.reverse();
    good.retain(|(epoch, ends, _)| !ends || seen.insert(*epoch));
    let doubled = count - good.len();
    good.reverse();
    let kept = keeps.iter().filter_map(|text| of_epoch(text)).filter(|line| line.0 <= done);
    good.extend(kept.filter(|(epoch, ..)| seen.insert(*epoch)));
    good.sort_by_key(|line| line.0);
    let missing = gaps(&seen, begun, done);
    if torn && missing.is_empty() {
        damaged -= 1;
    }
    let remarks = [
        (damaged > 0).then(|| format!("{} that cannot be read", counted(damaged))),
        (doubled > 0).then(|| format!("{} too many of its epochs", counted(doubled))),
        (!sorted).then(|| "its epochs out of order".to_owned()),
        (!missing.is_empty()).then(|| format!("none of epoch {}", missing.join(", "))),
    ];
    let remarks: Vec<String> = remarks.into_iter().flatten().collect();
    Trimmed {
        kept: good.iter().map(|(_, _, text)| format!("{text}\n")).collect(),
        remark: (!remarks.is_empty()).then(|| format!("{METRICS} has {}", remarks.join(", "))),
        loses: damaged + doubled > 0 || !sorted,
    }
}

fn counted(lines: usize) -> String {
    if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") }
}

// The epoch of a line of JSON, and whether it is the one with the epoch's results.
fn of_epoch(text: &str) -> Option<(u32, bool, &str)> {
    if let Some(line) = line(text) {
        return Some((line.epoch, true, text));
    }
    let other: Value = serde_json::from_str(text).ok()?;
    Some((other.get("epoch")?.as_u64()?.try_into().ok()?, false, text))
}

// The epochs behind `begun` to `done` that are not there, those side by side as one.
fn gaps(there: &BTreeSet<u32>, begun: u32, done: u32) -> Vec<String> {
    let mut next = u64::from(begun) + 1;
    let mut gaps = Vec::new();
    for epoch in there.iter().copied().map(u64::from).chain([u64::from(done) + 1]) {
        if epoch > next {
            gaps.push(if epoch == next + 1 { next.to_string() } else { format!("{next} to {}", epoch - 1) });
        }
        next = epoch + 1;
    }
    gaps
}

// A line of the version that knew a reconstruction and one penalty.
fn brought_up(text: &str) -> Option<Value> {
    let mut line: Value = serde_json::from_str(text).ok()?;
    let unit = line.get("unit")?.clone();
    let penalty = line.get("penalty").and_then(Value::as_str).map(str::to_owned);
    let weight = line.get("penalty_weight").and_then(Value::as_f64).unwrap_or(0.0);
    let is_elbo = unit == "nats" && penalty.as_deref() == Some("kl");
    let columns = |losses: &Value| -> Option<Value> {
        let number = |name: &str| losses.get(name).and_then(Value::as_f64);
        let reconstruction = number("reconstruction_per_image")?;
        let paid = number("penalty_per_image").or_else(|| number("kl_nats_per_image")).unwrap_or(0.0);
        let mut terms = BTreeMap::from([("reconstruction", reconstruction)]);
        terms.extend(penalty.as_deref().map(|name| (name, paid)));
        let mut columns = json!({ "terms": terms, "objective": reconstruction + weight * paid });
        columns["reconstruction_per_pixel"] = losses.get("reconstruction_per_pixel")?.clone();
        columns["elbo"] = is_elbo.then_some(-(reconstruction + paid)).into();
        Some(columns)
    };
    let [train, validation] = ["train", "validation"].map(|part| line.get(part).and_then(columns));
    let column = |name: &str, unit: &Value, over: &str, weight: f64| json!({ "name": name, "unit": unit, "over": over, "weight": weight, "averaged_over": 1 });
    let mut described = vec![column("reconstruction", &unit, "pixels", 1.0)];
    described.extend(penalty.as_deref().map(|name| column(name, &"".into(), "the code", weight)));
    line["columns"] = described.into();
    line["per_image"] = Items::Images.reported().into();
    (line["train"], line["validation"]) = (train?, validation.into());
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_epoch(epoch: u32) -> String {
        let columns = json!({ "terms": {}, "objective": 1.5 });
        json!({
            "epoch": epoch, "step": 6 * epoch, "per_image": "", "columns": [], "train": columns, "validation": null,
            "best": true, "seconds": 0.5, "images_per_second": 8.0,
        })
        .to_string()
    }

    #[test]
    fn lines_up_to_an_epoch_stay_and_what_is_amiss_is_said() {
        let [one, two, three] = [1, 2, 3].map(of_epoch);
        let event = r#"{"epoch":2,"event":"another kind of line"}"#;
        for (text, done, kept, remark, loses) in [
            (format!("{one}\n{event}\n{two}\n"), 2, vec![&one[..], event, &two], None, false),
            (format!("{one}\n{two}\n{three}"), 1, vec![&one], None, false),
            (format!("{one}\n{two}\n{{\"epoch\":3,\"st"), 2, vec![&one, &two], None, false),
            (
                format!("{one}\n{{\"epoch\":2,\"st"),
                2,
                vec![&one],
                Some("1 line that cannot be read, none of epoch 2"),
                true,
            ),
            (String::new(), 3, vec![], Some("none of epoch 1 to 3"), false),
            (two.clone(), u32::MAX, vec![&two], Some("none of epoch 1, 3 to 4294967295"), false),
            (
                format!("{one}\n{one}\n{two}\n"),
                2,
                vec![&one, &two],
                Some("1 line too many of its epochs"),
                true,
            ),
            (format!("{two}\n{one}\n"), 2, vec![&one, &two], Some("its epochs out of order"), true),
        ] {
            let trimmed = trim(text.as_bytes(), &[], 0..done);
            assert_eq!(trimmed.kept.lines().collect::<Vec<_>>(), kept, "{text}");
            let remark = remark.map(|remark| format!("metrics.jsonl has {remark}"));
            assert_eq!((trimmed.remark, trimmed.loses), (remark, loses), "{text}");
        }
    }
}
