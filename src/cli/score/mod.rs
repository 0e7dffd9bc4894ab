//! `narrows score`: how much each item is out of the ordinary, for a model.

mod summary;
mod threshold;
mod worst;

use std::path::{Path, PathBuf};

use super::Context;
use super::output::{Place, line, note, wrote};
use super::table::{Known, Table};
use super::trained::{Trained, counted};
use crate::data::Dataset;
use crate::data::written::write_whole;
use crate::graph::Device;
use crate::infer::{Scores, quantile};
use crate::train::Checkpoint;
use crate::{Error, Result};

use self::summary::Summary;
use self::threshold::{Threshold, is_flagged};
use self::worst::Worst;

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
    holds for all items (the column of the score, the threshold, the areas) is in scores.csv.json beside scores.csv.\n\n\
    What is an expectation over z is of one sample, with the same noise for all items, so that an item's score does not\n\
    depend on the others; --samples 64 takes more. squared_error, of the mean of z, draws nothing.")]
pub(super) struct Score {
    /// Samples of z per item for the importance-weighted bound of a variational autoencoder; 0 for no bound
    #[arg(long, value_name = "K", default_value_t = 0)]
    samples: u32,
    /// The column that is the score, as squared_error [default: the best bound there is, else the reconstruction]
    #[arg(long, value_name = "COLUMN")]
    by: Option<String>,
    #[command(flatten)]
    threshold: Threshold,
    /// Name the N items with the largest scores, and draw them beside their reconstructions
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

impl Score {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &["csv", "npy", "jsonl"])?;
        let (checkpoint, images, part) = self.trained.load(context, place.file())?;
        let positive = self.positive(&images)?;
        let picture =
            self.worst.map(|_| Place::of_file("--worst-out", &self.worst_out, "png")).transpose()?;
        let earlier = self.threshold.earlier()?;
        let fitted_on = match self.threshold.quantile {
            Some(_) => Some(self.trained.own_part(&checkpoint, &self.threshold.threshold_part)?),
            None => None,
        };
        let device = context.device.open_for(&checkpoint).await?;
        let scores = self.scores(&device, &checkpoint, &images).await?;
        scores.not_finite(&images).iter().for_each(|remark| note(&format!("warning: {remark}")));
        let threshold = match (self.threshold.quantile, fitted_on) {
            (Some(at), Some(own)) => quantile(&self.scores(&device, &checkpoint, &own).await?.anomaly, at),
            _ => earlier.map(|earlier| earlier.of(&scores, self.samples)).transpose()?,
        };
        let (names, values) = columns(&scores, threshold);
        let count = names.len();
        let index: Known<'_> = ("index", Box::new(|at| at.into()));
        let table = Table::new(names, &images).after(vec![index]);
        let what = format!("{} scored, {count} numbers each", counted(&images, &part));
        place.write(&table.bytes(&values, place.ending())?, &what)?;
        let mut summary = Summary::new(&scores, &checkpoint, self.samples);
        if let Some(threshold) = threshold {
            self.say(&summary.flagged(&scores, threshold, &self.threshold))?;
        }
        if let Some(positive) = positive {
            self.say(&summary.ranked(&scores, &self.positive, &positive)?)?;
        }
        if let Some(path) = place.file() {
            let path = beside(path);
            write_whole(&path, &summary.bytes())?;
            wrote(&path, "what holds for all of them")?;
        }
        let (Some(count), Some(picture)) = (self.worst, picture) else { return Ok(()) };
        let places = scores.worst(count as usize);
        let worst = Worst::new(&device, &checkpoint, &images, &scores, places).await?;
        worst.lines().iter().try_for_each(|text| self.say(text))?;
        picture.write(&worst.png()?, &worst.shown())
    }

    // Beside a result on standard output there is no place but standard error.
    fn say(&self, text: &str) -> Result<()> {
        if self.out == Path::new("-") {
            note(text);
            return Ok(());
        }
        line(text)
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
}

// What holds for all of scores.csv is in scores.csv.json.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".json");
    name.into()
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
