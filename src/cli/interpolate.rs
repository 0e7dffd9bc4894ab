//! `narrows interpolate`: images or rows decoded between the codes of two.

use std::path::PathBuf;

use crate::Result;
use crate::data::{Dataset, Items};
use crate::infer::{Decoder, Interpolation};
use crate::picture::Grid;
use crate::report::{column_names, interpolated_columns};
use crate::train::Checkpoint;

use super::Context;
use super::class::{Class, as_classes};
use super::decoded::{Decoded, of_range, scaled};
use super::output::Place;
use super::picture::ENDINGS;
use super::table::number;
use super::trained::{Trained, chosen, codes, numbered};

/// Decode the codes between two images
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows interpolate runs/vae-001 --from 0 --to 7 --path slerp\n  \
    narrows interpolate runs/vae-001 --from 0 --to 7 --steps 100 --out between.npy\n\n\
    The picture is one row: the first image, images decoded at even steps from its code E[z given x] to the\n\
    code of the second image, and the second image. Of rows the picture has plots: the 12 columns that change\n\
    most along the way, with the two rows themselves as dots.\n\n\
    A conditional model decodes them as --class says, or each as the class of the nearer image.\n\n\
    A .npy file holds the decoded images alone, f32 [steps, height, width, channels] or [steps, columns], a .csv\n\
    or .jsonl file a line for each, in the data's own units: bytes from 0 to 255. Its first column t is 0 at the\n\
    first code and 1 at the second.")]
pub(super) struct Interpolate {
    /// Index of the first image, from 0. Not a checkpoint, as --from is in other commands: here one is named as RUN, as
    /// runs/vae-001/last.safetensors
    #[arg(long, value_name = "I", value_parser = image)]
    from: usize,
    /// Index of the second image
    #[arg(long, value_name = "J", value_parser = super::index)]
    to: usize,
    /// Number of decoded images, with those of the two codes themselves
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = super::whole(2..=1000))]
    steps: u32,
    /// A straight line, or an arc around zero
    #[arg(long, value_name = "PATH", default_value = "linear", value_parser = ["linear", "slerp"])]
    path: String,
    /// Output file: .png, .npy, .csv or .jsonl, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "interpolation.png")]
    out: PathBuf,
    /// Format on standard output: png, npy, csv or jsonl [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = ENDINGS)]
    format: Option<String>,
    #[command(flatten)]
    class: Class,
    #[command(flatten)]
    // Without `--from`, which here is an image; and `--class` is its own.
    trained: Trained<false, false>,
}

// A word may be meant as a checkpoint.
fn image(text: &str) -> std::result::Result<usize, String> {
    let is_word = text.chars().any(char::is_alphabetic);
    let but =
        if is_word { ". A checkpoint is named as RUN here, as runs/vae-001/last.safetensors" } else { "" };
    super::index(text).map_err(|expected| expected + but)
}

impl Interpolate {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &ENDINGS)?;
        let (checkpoint, images, part) = self.trained.load_for(context, place.file(), &self.class)?;
        let (first, second) = (chosen("--from", self.from, &images)?, chosen("--to", self.to, &images)?);
        let device = context.device.open_for(&checkpoint).await?;
        let path = if self.path == "slerp" { Interpolation::Spherical } else { Interpolation::Linear };
        let ends = [codes(&device, &checkpoint, &first).await?, codes(&device, &checkpoint, &second).await?];
        let steps = self.steps as usize;
        let between = path.codes(&ends[0], &ends[1], steps);
        let mut decoder = Decoder::new(&device, &checkpoint, steps).await?;
        let last = self.steps.saturating_sub(1) as f32;
        let other = "data with labels";
        let [near_first, near_second] =
            [&first, &second].map(|image| self.class.of(&checkpoint, Some(image), 1, other));
        let decoded = Decoded {
            labels: [near_first?.repeat(steps.div_ceil(2)), near_second?.repeat(steps / 2)].concat(),
            before: vec![("t", Box::new(|at| number(at as f32 / last)))],
            ..Decoded::new(&checkpoint, steps)
        };
        let told = as_classes(&checkpoint, &decoded.labels);
        let latent = between.len() / steps;
        let from = numbered(self.from, &images, &part);
        let what = format!("{steps} {} decoded from {from} to {}{told}", images.items().many(), self.to);
        let draw = |between: Vec<f32>| drawn(&checkpoint, &what, between, [&first, &second]);
        decoded.write(&place, &mut decoder, of_range(&between, latent), draw, &what).await
    }
}

// Images between two others in a row; or plots of the columns of rows.
fn drawn(checkpoint: &Checkpoint, what: &str, between: Vec<f32>, ends: [&Dataset; 2]) -> Result<Vec<u8>> {
    let [first, second] = ends.map(Dataset::floats);
    if ends[0].items() == Items::Rows {
        let names = column_names(&checkpoint.columns, first.len());
        let scaled = scaled(checkpoint, between.clone());
        let title = format!("{what}; dots are the rows themselves");
        let page = interpolated_columns(&title, &names, &between, &scaled, [&first, &second]);
        return page.picture().png();
    }
    let columns = between.len() / first.len() + 2;
    let row = checkpoint.transform.shown([first, between, second].concat());
    Grid { images: &row, shape: checkpoint.shape, columns }.png()
}
