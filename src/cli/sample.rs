//! `narrows sample`: new images, decoded from codes drawn from the prior.

use std::path::PathBuf;

use crate::data::{Dataset, Items};
use crate::infer::{Decoder, prior_codes, prior_grid};
use crate::picture::Grid;
use crate::report::{column_names, distributed_columns};
use crate::train::Checkpoint;
use crate::{Error, Result};

use super::Context;
use super::class::Class;
use super::output::Place;
use super::picture::{ENDINGS, MOST};
use super::table::Table;
use super::trained::Model;

// Samples, of all or of each class.
const COUNT: u32 = 64;
const EACH: u32 = 10;

/// Draw new images or rows
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows sample runs/vae-001 --count 100 --seed 7 --out samples.png\n  \
    narrows sample runs/vae-001 --grid 20\n  narrows sample runs/vae-001 --grid 15 --dims 3,7\n\n\
    Codes are drawn from the prior N(0, 1). With --grid and a 2-D code, or with --grid and --dims, nothing is\n\
    random: the grid is a map of two numbers of the code, at the prior's quantiles (i + 1/2) / N. The first\n\
    grows to the right, the second upwards, all others are 0. With --grid alone and a longer code, the picture\n\
    has N x N random images.\n\n\
    Without --class, samples of a conditional model are --count of each class, a row for each: those of a column share\n\
    their code. A .csv or .jsonl file says the label and the class of each.\n\n\
    Of rows the picture has a histogram for each of the first 12 columns.\n\n\
    A .npy file holds f32 [images, height, width, channels] or [rows, columns], a .csv or .jsonl file a line for each,\n\
    in the data's own units: bytes from 0 to 255.")]
pub(super) struct Sample {
    #[command(flatten)]
    model: Model,
    /// Number of images [default: 64, or 10 of each class]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST))]
    count: Option<u32>,
    /// N x N images; for a 2-D code, a map of it
    #[arg(long, value_name = "N", conflicts_with = "count", value_parser = clap::value_parser!(u32).range(1..=100))]
    grid: Option<u32>,
    /// The two numbers of the code that the grid maps, from 0, as 3,7
    #[arg(long, value_name = "I,J", requires = "grid", value_parser = pair)]
    dims: Option<[usize; 2]>,
    #[command(flatten)]
    class: Class,
    /// Seed of the random codes
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = super::seed)]
    seed: u64,
    /// Output file: .png, .npy, .csv or .jsonl, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "samples.png")]
    out: PathBuf,
    /// Format on standard output: png, npy, csv or jsonl [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = ENDINGS)]
    format: Option<String>,
}

fn pair(text: &str) -> std::result::Result<[usize; 2], String> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    let numbers = numbers.collect::<Option<Vec<usize>>>().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| "expected two numbers, as 3,7".to_owned())
}

impl Sample {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &ENDINGS)?;
        let checkpoint = self.model.load(context)?;
        if checkpoint.model()?.prior().is_none() {
            let got = format!("{}, which has no prior", checkpoint.config.model.variant.name());
            return Err(Error::setting("sample", "a model with a prior, such as vae", got));
        }
        let latent = checkpoint.model()?.latent() as usize;
        let (classes, class) = (checkpoint.transform.classes.len(), self.class.label(&checkpoint)?);
        let each_class = classes > 0 && class.is_none();
        if each_class && self.grid.is_some() {
            let expected = format!("one of the classes {}", checkpoint.transform.classes.join(", "));
            return Err(Error::setting("--class", expected, "none, with --grid"));
        }
        let side = self.grid.map(|side| side as usize);
        let default = if each_class { EACH } else { COUNT };
        let count = side.map_or(self.count.unwrap_or(default) as usize, |side| side * side);
        let spanned = match (side, self.dims) {
            (Some(side), Some(dims)) => Some((side, dims)),
            (Some(side), _) if latent == 2 => Some((side, [0, 1])),
            _ => None,
        };
        let codes = match spanned {
            Some((side, dims)) => prior_grid(side, latent, dims)?,
            None => prior_codes(self.seed, count, latent),
        };
        let (codes, labels) = match class {
            None => of_each_class(codes, count, classes),
            Some(class) => (codes, vec![class; count]),
        };
        let total = codes.len() / latent;
        if total as i64 > MOST {
            let expected = format!("at most {MOST} images in all");
            return Err(Error::setting("--count", expected, format!("{count} of each of {classes} classes")));
        }
        let device = context.device.open_for(&checkpoint).await?;
        let images = Decoder::new(&device, &checkpoint, total).await?.decode_as(&codes, &labels).await?;
        let square = side.unwrap_or_else(|| (count as f64).sqrt().ceil() as usize);
        let columns = if each_class { count } else { square };
        let labelled = labelled(&checkpoint, &images, &labels)?;
        let bytes = decoded(&checkpoint, images, columns, place.ending(), labelled.as_ref())?;
        let codes = match spanned {
            Some((_, [across, up])) => {
                format!("quantiles of N(0, 1): number {across} of the code grows to the right, {up} upwards")
            }
            None => "codes of N(0, 1)".to_owned(),
        };
        let of_class = match class.and_then(|class| checkpoint.transform.classes.get(class as usize)) {
            Some(class) => format!(", as {class}"),
            None if each_class => {
                format!(", {count} of each class: {}", checkpoint.transform.classes.join(", "))
            }
            None => String::new(),
        };
        let what = Items::of(checkpoint.shape).of_count(total);
        place.write(&bytes, &format!("{total} {what} decoded from {codes}{of_class}"))
    }
}

/// The same codes for each of so many classes, one class after another, and the label of each; where there are no classes,
/// the codes alone.
fn of_each_class(codes: Vec<f32>, count: usize, classes: usize) -> (Vec<f32>, Vec<u32>) {
    if classes == 0 {
        return (codes, Vec::new());
    }
    let labels = (0..).take(classes).flat_map(|label| std::iter::repeat_n(label, count)).collect();
    (codes.repeat(classes), labels)
}

/// Images that were decoded as of classes, with these; None for a model that is not conditional.
pub(super) fn labelled(checkpoint: &Checkpoint, images: &[f32], labels: &[u32]) -> Result<Option<Dataset>> {
    if labels.is_empty() {
        return Ok(None);
    }
    let labels = labels.iter().map(|label| u8::try_from(*label).unwrap_or(u8::MAX)).collect();
    let dataset = Dataset::new("decoded", checkpoint.shape, images.to_vec(), Some(labels))?;
    dataset.with_classes(checkpoint.transform.classes.clone()).map(Some)
}

/// Images or rows that were decoded, as a file of this ending: a picture of images has so many in a row, one of rows has plots
/// of their columns. `labelled` has their classes.
pub(super) fn decoded(
    checkpoint: &Checkpoint,
    items: Vec<f32>,
    columns: usize,
    ending: &str,
    labelled: Option<&Dataset>,
) -> Result<Vec<u8>> {
    match (ending, Items::of(checkpoint.shape)) {
        ("png", Items::Images) => {
            let images = checkpoint.transform.shown(items);
            Grid { images: &images, shape: checkpoint.shape, columns }.png()
        }
        ("png", Items::Rows) => {
            let names = column_names(&checkpoint.columns, checkpoint.shape[1]);
            let title = format!("columns of {} rows that were decoded", items.len() / names.len());
            distributed_columns(&title, &names, &[("", &items)]).picture().png()
        }
        _ => Table::of_items(checkpoint, &checkpoint.in_own_units(items), labelled).bytes(ending),
    }
}
