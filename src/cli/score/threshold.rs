//! The score above which an item is flagged: a quantile of the run's own scores, or that of an earlier result.

use std::path::PathBuf;

use serde_json::Value;

use crate::infer::Scores;
use crate::{Error, Result};

/// Where it comes from.
#[derive(clap::Args)]
pub(super) struct Threshold {
    /// Flag items with a score above this quantile of the scores of the run's training part, as 0.99
    #[arg(long = "threshold", value_name = "QUANTILE", value_parser = quantile_of)]
    pub(super) quantile: Option<f64>,
    /// The part of the run's data that the threshold is fitted on
    #[arg(long, value_name = "PART", value_parser = ["train", "validation"], default_value = "train", requires = "quantile")]
    pub(super) threshold_part: String,
    /// Flag items with a score above the threshold of an earlier result, as scores.csv.json: needs no training data
    #[arg(long, value_name = "JSON", conflicts_with = "quantile")]
    pub(super) threshold_from: Option<PathBuf>,
}

fn quantile_of(text: &str) -> std::result::Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| "expected a number between 0 and 1".to_owned())
}

/// One that is no number is out of the ordinary too.
pub(super) fn is_flagged(score: f64, threshold: f64) -> bool {
    score > threshold || score.is_nan()
}

impl Threshold {
    /// That of the earlier result. None where none is named.
    pub(super) fn earlier(&self) -> Result<Option<Earlier>> {
        let Some(path) = &self.threshold_from else { return Ok(None) };
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let wrong = |found: String| Error::File {
            path: path.clone(),
            expected: "what `narrows score --threshold` wrote beside its result".to_owned(),
            found,
        };
        let summary: Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        let threshold = summary["threshold"].as_f64().ok_or_else(|| wrong("no threshold".to_owned()))?;
        let by = summary["by"].as_str().ok_or_else(|| wrong("no column".to_owned()))?.to_owned();
        Ok(Some(Earlier { threshold, by, samples: summary["samples"].as_u64().unwrap_or_default() }))
    }
}

/// The threshold of an earlier result, and the scores that it is of.
pub(super) struct Earlier {
    threshold: f64,
    by: String,
    samples: u64,
}

impl Earlier {
    /// The threshold, for scores of the same column and samples.
    pub(super) fn of(self, scores: &Scores, samples: u32) -> Result<f64> {
        if scores.by == self.by && u64::from(samples) == self.samples {
            return Ok(self.threshold);
        }
        let named = |by: &str, samples: u64| format!("of {by} with --samples {samples}");
        let expected = format!("a threshold {}, as these scores", named(&scores.by, samples.into()));
        Err(Error::setting("--threshold-from", expected, format!("one {}", named(&self.by, self.samples))))
    }
}
