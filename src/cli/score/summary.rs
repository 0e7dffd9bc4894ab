//! What holds for all items that were scored.

use serde_json::{Value, json};

use super::threshold::{Threshold, is_flagged};
use crate::infer::{Ranking, Scores};
use crate::train::{Checkpoint, figure};
use crate::{Error, Result};

/// As it is kept beside the scores.
pub(super) struct Summary(Value);

impl Summary {
    pub(super) fn new(scores: &Scores, checkpoint: &Checkpoint, samples: u32) -> Self {
        Self(json!({
            "epoch": checkpoint.epoch(),
            "items": scores.anomaly.len(),
            "samples": samples,
            "by": scores.by,
        }))
    }

    /// Adds the threshold and how many are above it, and returns a line about that.
    pub(super) fn flagged(&mut self, scores: &Scores, threshold: f64, from: &Threshold) -> String {
        let flagged = scores.anomaly.iter().filter(|score| is_flagged(**score, threshold)).count();
        self.0["threshold"] = json!(threshold);
        self.0["flagged"] = json!(flagged);
        let origin = match (from.quantile, &from.threshold_from) {
            (Some(at), _) => {
                self.0["quantile"] = json!(at);
                self.0["threshold_part"] = json!(from.threshold_part);
                format!("quantile {at} of the {} part", from.threshold_part)
            }
            (None, Some(path)) => {
                self.0["threshold_from"] = json!(path);
                format!("the threshold of {}", path.display())
            }
            (None, None) => String::new(),
        };
        let (all, above) = (scores.anomaly.len(), figure(threshold, 4));
        format!("flagged:   {flagged} of {all} with a score above {above}, {origin}")
    }

    /// Adds how well the scores find the `classes` that `positive` items are of, and returns a line about that.
    pub(super) fn ranked(
        &mut self,
        scores: &Scores,
        classes: &[String],
        positive: &[bool],
    ) -> Result<String> {
        let ranking = Ranking::of(&scores.anomaly, positive)
            .ok_or_else(|| Error::setting("--positive", "scores that are numbers", "NaN among them"))?;
        let Ranking { roc_auc, average_precision } = ranking;
        let found = positive.iter().filter(|positive| **positive).count();
        self.0["positive"] = json!(classes);
        self.0["positive_items"] = json!(found);
        self.0["roc_auc"] = json!(roc_auc);
        self.0["average_precision"] = json!(average_precision);
        let classes = classes.join(", ");
        let areas = format!("ROC-AUC {roc_auc:.4}, average precision {average_precision:.4}");
        Ok(format!("positive:  {found} of {classes}: {areas}"))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        format!("{:#}\n", self.0).into_bytes()
    }
}
