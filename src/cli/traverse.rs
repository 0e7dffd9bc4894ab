//! `narrows traverse`: what each number of the code does to the image.

use std::path::PathBuf;

use crate::Result;
use crate::data::Dataset;
use crate::infer::{Decoder, Reconstructor, traversals};
use crate::picture::Grid;

use super::Context;
use super::interpolate::chosen;
use super::output::{check_place, line};
use super::trained::Trained;

// As many as are told apart at a glance.
const SHOWN: usize = 10;
// Enough to know how much each number of the code varies.
const MEASURED: usize = 5_000;

/// Decode walks along one number of the code at a time
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows traverse runs/vae-001\n  \
    narrows traverse runs/vae-001 --image 3 --dims 0,4,7 --range 2 --steps 11\n\n\
    A row for each number of the code: it goes from -R to R at even steps, and all others stay as they are\n\
    in the code E[z given x] of the image, or without --image at their mean. For a model with a prior that\n\
    mean is 0 and R is in units of the prior's deviation, 1. For others both are those of the codes of the\n\
    part's first 5000 images. Without --dims the rows are the ten numbers that vary most over those images,\n\
    the most varying first.")]
pub(super) struct Traverse {
    /// Number of the image to start from, from 0 [default: the mean code]
    #[arg(long, value_name = "I")]
    image: Option<usize>,
    /// Which numbers of the code, from 0, as 0,4,7, a row each [default: the ten that vary most]
    #[arg(long, value_name = "DIMS", value_delimiter = ',')]
    dims: Option<Vec<usize>>,
    /// How many deviations to either side of the mean to go
    #[arg(long, value_name = "R", default_value_t = 3.0, value_parser = positive, allow_negative_numbers = true)]
    range: f32,
    /// How many images a row
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(2..=1000))]
    steps: u32,
    /// Where to write the picture
    #[arg(long, value_name = "PNG", default_value = "traversals.png")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

fn positive(text: &str) -> std::result::Result<f32, String> {
    let value = text.parse::<f32>().ok().filter(|value| value.is_finite() && *value > 0.0);
    value.ok_or_else(|| "a positive number is needed".to_owned())
}

impl Traverse {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        check_place(&self.out, &["png"])?;
        let (checkpoint, images) = self.trained.load(context)?;
        let image = self.image.map(|number| chosen("--image", number, &images)).transpose()?;
        let measured = images.slice(0..images.len().min(MEASURED))?;
        let device = context.device.open_for(&checkpoint).await?;
        let encode = async |images: &Dataset| -> Result<Vec<f32>> {
            Ok(Reconstructor::new(&device, &checkpoint, images).await?.run().await?.codes)
        };
        let codes = encode(&measured).await?;
        let spread = Spread::of(&codes, codes.len() / measured.len());
        let dims = self.dims.clone().unwrap_or_else(|| spread.most_varying(SHOWN));
        let scale = if checkpoint.model()?.prior().is_some() { spread.prior() } else { spread };
        let start = match &image {
            Some(image) => encode(image).await?,
            None => scale.mean.clone(),
        };
        let end = |number: &usize| {
            let (mean, deviation) = (scale.mean.get(*number), scale.deviation.get(*number));
            let (mean, deviation) = (mean.copied().unwrap_or(0.0), deviation.copied().unwrap_or(0.0));
            [-1.0, 1.0].map(|side| mean + side * self.range * deviation)
        };
        let ends: Vec<[f32; 2]> = dims.iter().map(end).collect();
        let steps = self.steps as usize;
        let codes = traversals(&start, &dims, &ends, steps)?;
        let decoded = Decoder::new(&device, &checkpoint, dims.len() * steps).await?.decode(&codes).await?;
        Grid { images: &decoded, shape: checkpoint.shape, columns: steps }.save(&self.out)?;
        let rows: Vec<String> = dims.iter().map(usize::to_string).collect();
        let from = match self.image {
            Some(number) => format!("the code of {} image {number}", self.trained.part().name()),
            None => "the mean code".to_owned(),
        };
        let order = if self.dims.is_none() { ", the most varying first" } else { "" };
        line(&format!(
            "{}: {steps} images a row from {from}; rows are numbers {} of the code{order}",
            self.out.display(),
            rows.join(", "),
        ))
    }
}

/// Where the codes of some images lie: mean and standard deviation of each number.
struct Spread {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Spread {
    fn of(codes: &[f32], latent: usize) -> Self {
        let count = (codes.len() / latent.max(1)).max(1) as f64;
        let column = |number: usize| codes.iter().skip(number).step_by(latent.max(1)).map(|z| f64::from(*z));
        let moments = (0..latent).map(|number| {
            let mean = column(number).sum::<f64>() / count;
            let variance = column(number).map(|z| (z - mean).powi(2)).sum::<f64>() / count;
            (mean as f32, variance.sqrt() as f32)
        });
        let (mean, deviation) = moments.unzip();
        Self { mean, deviation }
    }

    // What codes are drawn from: a standard normal.
    fn prior(&self) -> Self {
        let latent = self.mean.len();
        Self { mean: vec![0.0; latent], deviation: vec![1.0; latent] }
    }

    fn most_varying(&self, count: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.deviation.len()).collect();
        numbers.sort_by(|a, b| self.deviation[*b].total_cmp(&self.deviation[*a]));
        numbers.truncate(count);
        numbers
    }
}
