//! `narrows interpolate`: images decoded between the codes of two images.

use std::path::PathBuf;

use crate::Result;
use crate::infer::{Decoder, Interpolation};
use crate::picture::Grid;

use super::Context;
use super::class::Class;
use super::output::Place;
use super::trained::{Trained, chosen, codes, numbered};

/// Decode the codes between two images as a picture
#[derive(clap::Args)]
#[command(after_help = "Example:\n  narrows interpolate runs/vae-001 --from 0 --to 7 --path slerp\n\n\
    The picture is one row: the first image, images decoded at even steps from its code E[z given x] to the\n\
    code of the second image, and the second image. A conditional model decodes them as --class says, or each as the\n\
    class of the nearer image.")]
pub(super) struct Interpolate {
    /// Index of the first image, from 0
    #[arg(long, value_name = "I")]
    from: usize,
    /// Index of the second image
    #[arg(long, value_name = "J")]
    to: usize,
    /// Number of decoded images, with those of the two codes themselves
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    steps: u32,
    /// A straight line, or an arc around zero
    #[arg(long, value_name = "PATH", default_value = "linear", value_parser = ["linear", "slerp"])]
    path: String,
    /// Output file, or - for standard output
    #[arg(long, value_name = "PNG", default_value = "interpolation.png")]
    out: PathBuf,
    #[command(flatten)]
    class: Class,
    #[command(flatten)]
    // Without `--from`, which here is an image.
    trained: Trained<false>,
}

impl Interpolate {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, None, &["png"])?;
        let (checkpoint, images, part) = self.trained.load(context, place.file())?;
        let (first, second) = (chosen("--from", self.from, &images)?, chosen("--to", self.to, &images)?);
        let device = context.device.open_for(&checkpoint).await?;
        let path = if self.path == "slerp" { Interpolation::Spherical } else { Interpolation::Linear };
        let ends = [codes(&device, &checkpoint, &first).await?, codes(&device, &checkpoint, &second).await?];
        let steps = self.steps as usize;
        let between = path.codes(&ends[0], &ends[1], steps);
        let near = [&first, &second].map(|image| self.class.of(&checkpoint, Some(image), 1));
        let [near_first, near_second] = near;
        let (near_first, near_second) = (near_first?, near_second?);
        let halves = [near_first.repeat(steps.div_ceil(2)), near_second.repeat(steps / 2)].concat();
        let between = Decoder::new(&device, &checkpoint, steps).await?.decode_as(&between, &halves).await?;
        let row = checkpoint.transform.shown([first.floats(), between, second.floats()].concat());
        let picture = Grid { images: &row, shape: checkpoint.shape, columns: steps + 2 }.png()?;
        let from = numbered(self.from, &images, &part);
        place
            .write(&picture, &format!("{steps} {} decoded from {from} to {}", images.items().many(), self.to))
    }
}
