//! `narrows score`: how much each item is out of the ordinary, for a model.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Context;
use super::output::{Place, line, note, wrote};
use super::table::{Known, Table};
use super::trained::{Trained, counted};
use crate::data::written::write_whole;
use crate::data::{Dataset, Items};
use crate::graph::Device;
use crate::infer::{Ranking, Reconstructor, Scores, quantile};
use crate::picture::{Grid, interleaved};
use crate::train::{Checkpoint, figure};
use crate::{Error, Result};

/// Score items
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows score runs/vae-001 --out scores.csv\n  \
    narrows score runs/vae-001 --data new.csv --samples 64 --threshold 0.99 --worst 20\n  \
    narrows train vae --leave-out bag --run runs/no-bags\n  \
    narrows score runs/no-bags --positive bag --by squared_error\n\n\
    A row for each item: its index, each term of the model, for variational models negative_elbo and with --samples\n\
    importance_bound, in nats, and squared_error, summed over pixels, in the model's scale. Then score, which is the\n\
    larger the more the item is out of the ordinary: the negative importance_bound, else negative_elbo, else the\n\
    reconstruction, else what is minimized. Then flagged, 0 or 1, with --threshold; and label, class, file, id and row,\n\
    if the data set has them. A .npy file holds f32 [items, columns] of the numbers from the first term to flagged. What\n\
    holds for all items (the threshold, the areas) is in a .json file beside the result.")]
pub(super) struct Score {
    /// Samples of z per item for the importance-weighted bound of a variational autoencoder; 0 for no bound
    #[arg(long, value_name = "K", default_value_t = 0)]
    samples: u32,
    /// The column that is the score, as squared_error [default: the best bound there is, else the reconstruction]
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    /// Flag items with a score above this quantile of the scores of the run's training part, as 0.99
    #[arg(long, value_name = "QUANTILE", value_parser = quantile_of)]
    threshold: Option<f64>,
    /// The part of the run's data that the threshold is fitted on
    #[arg(long, value_name = "PART", value_parser = ["train", "validation"], default_value = "train", requires = "threshold")]
    threshold_part: String,
    /// Name the N items with the largest scores, and draw them above their reconstructions
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    worst: Option<u32>,
    /// The picture of the worst items
    #[arg(long, value_name = "PNG", default_value = "worst.png", requires = "worst")]
    worst_out: PathBuf,
    /// The classes that the score should find, as bag,coat: prints the areas under the ROC and the precision-recall curve
    #[arg(long, value_name = "CLASSES", value_delimiter = ',')]
    positive: Vec<String>,
    /// Output file: .csv, .npy or .jsonl, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "scores.csv")]
    out: PathBuf,
    /// Format on standard output: csv, npy or jsonl [default: csv]
    #[arg(long, value_name = "FORMAT", value_parser = ["csv", "npy", "jsonl"])]
    format: Option<String>,
    #[command(flatten)]
    trained: Trained,
}

fn quantile_of(text: &str) -> std::result::Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (0.0..=1.0).contains(value));
    value.ok_or_else(|| "expected a number between 0 and 1".to_owned())
}

impl Score {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &["csv", "npy", "jsonl"])?;
        let (checkpoint, images, part) = self.trained.load(context, place.file())?;
        let positive = self.positive(&images)?;
        let picture = match self.worst {
            Some(_) if images.items() == Items::Images => {
                Some(Place::of_file("--worst-out", &self.worst_out, "png")?)
            }
            _ => None,
        };
        let fitted_on = match self.threshold {
            Some(_) => Some(self.trained.own_part(&checkpoint, &self.threshold_part)?),
            None => None,
        };
        let device = context.device.open_for(&checkpoint).await?;
        let scores = self.scores(&device, &checkpoint, &images).await?;
        scores.not_finite(&images).iter().for_each(|remark| note(&format!("warning: {remark}")));
        let threshold = match (self.threshold, fitted_on) {
            (Some(at), Some(own)) => quantile(&self.scores(&device, &checkpoint, &own).await?.anomaly, at),
            _ => None,
        };
        let (names, values) = columns(&scores, threshold);
        let count = names.len();
        let index: Known<'_> = ("index", Box::new(|at| at.into()));
        let table = Table::new(names, &images).after(vec![index]);
        let what = format!("{} scored, {count} numbers each", counted(&images, &part));
        place.write(&table.bytes(&values, place.ending())?, &what)?;
        let summary = self.summary(&scores, threshold, positive.as_deref(), &checkpoint)?;
        if let Some(path) = place.file().filter(|_| threshold.is_some() || positive.is_some()) {
            let path = path.with_extension("json");
            write_whole(&path, format!("{summary:#}\n").as_bytes())?;
            wrote(&path, "what holds for all of them")?;
        }
        let Some(worst) = self.worst else { return Ok(()) };
        let worst = scores.worst(worst as usize);
        self.name(&worst, &scores, &images)?;
        match picture {
            Some(picture) => {
                let bytes = drawn(&device, &checkpoint, &images.at(&worst)?).await?;
                picture.write(
                    &bytes,
                    &format!("the {} with the largest scores above their reconstructions", worst.len()),
                )
            }
            None => Ok(()),
        }
    }

    async fn scores(&self, device: &Device, checkpoint: &Checkpoint, images: &Dataset) -> Result<Scores> {
        let scores = Scores::new(device, checkpoint, images, self.samples).await?;
        match &self.by {
            Some(column) => scores.by(column),
            None => Ok(scores),
        }
    }

    // Whether each item is of the classes that the score should find.
    fn positive(&self, images: &Dataset) -> Result<Option<Vec<bool>>> {
        if self.positive.is_empty() {
            return Ok(None);
        }
        let wanted: Vec<u8> =
            self.positive.iter().map(|class| images.label_of("--positive", class)).collect::<Result<_>>()?;
        let is_wanted: Vec<bool> =
            images.labels.iter().flatten().map(|label| wanted.contains(label)).collect();
        let found = is_wanted.iter().filter(|wanted| **wanted).count();
        if found == 0 || found == is_wanted.len() {
            let expected = "classes that some of the items are of, and some are not";
            let got = format!("{}, of which {found} of {} are", self.positive.join(","), is_wanted.len());
            return Err(Error::setting("--positive", expected, got));
        }
        Ok(Some(is_wanted))
    }

    // What holds for all items, printed and returned.
    fn summary(
        &self,
        scores: &Scores,
        threshold: Option<f64>,
        positive: Option<&[bool]>,
        checkpoint: &Checkpoint,
    ) -> Result<Value> {
        let mut summary = json!({
            "epoch": checkpoint.epoch(),
            "items": scores.anomaly.len(),
            "samples": self.samples,
            "by": self.by,
        });
        // Beside a result on standard output there is no place but standard error.
        let say = |text: &str| {
            if self.out == Path::new("-") {
                note(text);
                Ok(())
            } else {
                line(text)
            }
        };
        if let (Some(at), Some(threshold)) = (self.threshold, threshold) {
            let flagged = scores.anomaly.iter().filter(|score| is_flagged(**score, threshold)).count();
            summary["threshold"] = json!(threshold);
            summary["quantile"] = json!(at);
            summary["threshold_part"] = json!(self.threshold_part);
            summary["flagged"] = json!(flagged);
            let (part, all) = (&self.threshold_part, scores.anomaly.len());
            let above = figure(threshold, 4);
            say(&format!(
                "flagged:   {flagged} of {all} with a score above {above}, quantile {at} of the {part} part"
            ))?;
        }
        if let Some(positive) = positive {
            let ranking = Ranking::of(&scores.anomaly, positive)
                .ok_or_else(|| Error::setting("--positive", "scores that are numbers", "NaN among them"))?;
            let Ranking { roc_auc, average_precision } = ranking;
            let found = positive.iter().filter(|positive| **positive).count();
            summary["positive"] = json!(self.positive);
            summary["positive_items"] = json!(found);
            summary["roc_auc"] = json!(roc_auc);
            summary["average_precision"] = json!(average_precision);
            let classes = self.positive.join(", ");
            say(&format!(
                "positive:  {found} of {classes}: ROC-AUC {roc_auc:.4}, average precision {average_precision:.4}"
            ))?;
        }
        Ok(summary)
    }

    fn name(&self, worst: &[usize], scores: &Scores, images: &Dataset) -> Result<()> {
        for at in worst {
            let file = images.files.get(*at).map(|file| file.display().to_string());
            let called = file.or_else(|| images.ids.get(*at).cloned());
            let class = images.labels.as_ref().map(|labels| images.class(labels[*at]));
            let known: Vec<String> = called.into_iter().chain(class).collect();
            let known = if known.is_empty() { String::new() } else { format!(", {}", known.join(", ")) };
            let number = images.places.get(*at).filter(|_| images.items() == Items::Rows).unwrap_or(at);
            let text = format!(
                "worst:     {} {number}{known}: {}",
                images.items().one(),
                figure(scores.anomaly[*at], 4)
            );
            if self.out == Path::new("-") { note(&text) } else { line(&text)? }
        }
        Ok(())
    }
}

// One that is no number is out of the ordinary too.
fn is_flagged(score: f64, threshold: f64) -> bool {
    score > threshold || score.is_nan()
}

// Names and numbers of the table, with a last column of flags where there is a threshold.
fn columns(scores: &Scores, threshold: Option<f64>) -> (Vec<String>, Vec<f32>) {
    let flagged = threshold.map(|_| "flagged".to_owned());
    let names = scores.columns().into_iter().chain(flagged).collect();
    let row = |at: usize| {
        let flag = threshold.map(|threshold| f64::from(is_flagged(scores.anomaly[at], threshold)));
        scores.row(at).chain(flag).map(|number| number as f32)
    };
    (names, (0..scores.anomaly.len()).flat_map(row).collect())
}

// Items above their reconstructions.
async fn drawn(device: &Device, checkpoint: &Checkpoint, images: &Dataset) -> Result<Vec<u8>> {
    let results = Reconstructor::new(device, checkpoint, images).await?.run().await?;
    let columns = images.len().min(10);
    let rows = interleaved(&results.beside(&images.floats()), images.pixels(), columns);
    Grid { images: &checkpoint.transform.shown(rows), shape: checkpoint.shape, columns }.png()
}
