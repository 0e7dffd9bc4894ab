//! `narrows traverse`: the effect of each number of the code on the image.

use std::path::PathBuf;

use crate::Result;
use crate::data::Items;
use crate::infer::{Decoder, traversals};
use crate::report::{Walk, column_names, varied_columns};
use crate::train::Checkpoint;

use super::Context;
use super::class::{Class, as_classes};
use super::decoded::{Decoded, drawn, of_range, scaled};
use super::output::Place;
use super::picture::ENDINGS;
use super::table::number;
use super::trained::{Trained, chosen, codes, numbered};

// Rows by default.
const SHOWN: usize = 10;
// Images for the mean and the deviation of each number of the code.
const MEASURED: usize = 5_000;

/// Decode codes in which one number at a time varies
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows traverse runs/vae-001\n  \
    narrows traverse runs/vae-001 --image 3 --dims 0,4,7 --range 2 --steps 11\n  \
    narrows traverse runs/vae-001 --steps 100 --out traversals.csv\n\n\
    Each row varies one number of the code, from R deviations below its mean to R above. The other numbers\n\
    keep their values: those of the code E[z given x] of --image, or without --image their means. For a model\n\
    with a prior the mean is 0 and the deviation 1. For other models both are measured on the part's first\n\
    5000 images. By default the rows are the ten numbers that vary most over those images, largest first.\n\n\
    A conditional model decodes them as --class says, or as the class of --image.\n\n\
    For a model of rows the picture has a plot for each number of the code, with lines for the 10 columns that\n\
    change most along it, in the units of the model's scale.\n\n\
    A .npy file holds f32 [numbers * steps, height, width, channels] or [numbers * steps, columns], a .csv or .jsonl\n\
    file a line for each, in the data's own units: bytes from 0 to 255. Its first columns are dim, the number of\n\
    the code that varies, and value, its value.")]
pub(super) struct Traverse {
    /// Index of the image to start from, from 0 [default: start from the mean code]
    #[arg(long, value_name = "I", value_parser = super::index)]
    image: Option<usize>,
    /// Numbers of the code to vary, from 0, as 0,4,7: one row each [default: the ten that vary most]
    #[arg(long, value_name = "DIMS", value_delimiter = ',')]
    dims: Option<Vec<usize>>,
    /// Range to either side of the mean, in standard deviations
    #[arg(long, value_name = "R", default_value_t = 3.0, value_parser = positive, allow_negative_numbers = true)]
    range: f32,
    /// Images per row
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = super::whole(2..=1000))]
    steps: u32,
    /// Output file: .png, .npy, .csv or .jsonl, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "traversals.png")]
    out: PathBuf,
    /// Format on standard output: png, npy, csv or jsonl [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = ENDINGS)]
    format: Option<String>,
    #[command(flatten)]
    class: Class,
    #[command(flatten)]
    // `--class` is its own.
    trained: Trained<true, false>,
}

fn positive(text: &str) -> std::result::Result<f32, String> {
    let value = text.parse::<f32>().ok().filter(|value| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "expected a positive number".to_owned())
}

impl Traverse {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &ENDINGS)?;
        let (checkpoint, images, part) = self.trained.load_for(context, place.file(), &self.class)?;
        let image = self.image.map(|number| chosen("--image", number, &images)).transpose()?;
        let measured = images.first(MEASURED)?;
        let device = context.device.open_for(&checkpoint).await?;
        let found = codes(&device, &checkpoint, &measured).await?;
        let moments = moments(&found, found.len() / measured.len());
        let dims = self.dims.clone().unwrap_or_else(|| most_varying(&moments));
        let has_prior = checkpoint.model()?.prior().is_some();
        let moments = if has_prior { vec![[0.0, 1.0]; moments.len()] } else { moments };
        let start = match &image {
            Some(image) => codes(&device, &checkpoint, image).await?,
            None => moments.iter().map(|[mean, _]| *mean).collect(),
        };
        let end = |number: &usize| {
            let [mean, deviation] = moments.get(*number).copied().unwrap_or_default();
            [-1.0, 1.0].map(|side| mean + side * self.range * deviation)
        };
        let ends: Vec<[f32; 2]> = dims.iter().map(end).collect();
        let steps = self.steps as usize;
        let rows = traversals(&start, &dims, &ends, steps)?;
        let (count, latent) = (dims.len() * steps, start.len());
        let value = |at: usize| rows[at * latent + dims[at / steps]];
        let label = self.class.of(&checkpoint, image.as_ref(), 1, "--image I for the class of that image")?;
        let decoded = Decoded {
            labels: label.repeat(count),
            before: vec![
                ("dim", Box::new(|at| dims[at / steps].into())),
                ("value", Box::new(|at| number(value(at)))),
            ],
            ..Decoded::new(&checkpoint, count)
        };
        let told = as_classes(&checkpoint, &decoded.labels);
        decoded.check("--steps", &place)?;
        let mut decoder = Decoder::new(&device, &checkpoint, count).await?;
        let from = match self.image {
            Some(number) => format!("the code of {}", numbered(number, &images, &part)),
            None => "the mean code".to_owned(),
        };
        let from = from + &told;
        let numbers: Vec<String> = dims.iter().map(usize::to_string).collect();
        let order = if self.dims.is_none() { " (largest variation first)" } else { "" };
        let numbers = numbers.join(", ");
        let (items, last) = (Items::of(checkpoint.shape), format!("{numbers} of the code{order}"));
        let what = match items {
            Items::Images if place.ending() == "png" => {
                format!("{steps} images per row, from {from}; the rows vary numbers {last}")
            }
            _ => format!("{count} {} from {from}, {steps} for each of the numbers {last}", items.many()),
        };
        let values: Vec<f32> = (0..count).map(value).collect();
        let draw = |decoded| match items {
            Items::Images => drawn(&checkpoint, decoded, steps),
            Items::Rows => plotted(&checkpoint, &dims, &values, decoded),
        };
        decoded.write(&place, &mut decoder, of_range(&rows, latent), draw, &what).await
    }
}

// How columns change with each number of the code, whose values are `[numbers, steps]`.
fn plotted(checkpoint: &Checkpoint, dims: &[usize], values: &[f32], rows: Vec<f32>) -> Result<Vec<u8>> {
    let names = column_names(&checkpoint.columns, checkpoint.shape[1]);
    let (steps, rows) = (values.len() / dims.len(), scaled(checkpoint, rows));
    let walks = values.chunks_exact(steps).zip(rows.chunks_exact(steps * names.len())).zip(dims);
    let walk = |((values, rows), dim): ((&[f32], &[f32]), &usize)| Walk {
        label: format!("number {dim} of the code"),
        values: values.to_vec(),
        rows: rows.to_vec(),
    };
    let walks: Vec<Walk> = walks.map(walk).collect();
    let title = "columns that change most with each number of the code";
    varied_columns(title, checkpoint.transform.scaling.units(), &names, &walks).picture().png()
}

/// Mean and standard deviation of each number of the code.
fn moments(codes: &[f32], latent: usize) -> Vec<[f32; 2]> {
    let count = (codes.len() / latent.max(1)).max(1) as f64;
    let moment = |number: usize| {
        let column = || codes.iter().skip(number).step_by(latent).map(|z| f64::from(*z));
        let mean = column().sum::<f64>() / count;
        let variance = column().map(|z| (z - mean).powi(2)).sum::<f64>() / count;
        [mean as f32, variance.sqrt() as f32]
    };
    (0..latent).map(moment).collect()
}

fn most_varying(moments: &[[f32; 2]]) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..moments.len()).collect();
    numbers.sort_by(|a, b| moments[*b][1].total_cmp(&moments[*a][1]));
    numbers.truncate(SHOWN);
    numbers
}
