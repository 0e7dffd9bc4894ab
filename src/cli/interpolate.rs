//! `narrows interpolate`: what lies between the codes of two images.

use std::path::PathBuf;

use crate::data::Dataset;
use crate::infer::{Decoder, Interpolation, Reconstructor};
use crate::picture::Grid;
use crate::{Error, Result};
use clap::ValueEnum;

use super::Context;
use super::output::{check_place, line};
use super::trained::Trained;

/// Decode the codes between two images as a picture
#[derive(clap::Args)]
#[command(after_help = "Example:\n  narrows interpolate runs/vae-001 --from 0 --to 7 --path slerp\n\n\
    One row: the first image, what is decoded at even steps from its code E[z given x] to the other's,\n\
    the second image.")]
pub(super) struct Interpolate {
    /// Number of the first image, from 0
    #[arg(long, value_name = "I")]
    from: usize,
    /// Number of the second image
    #[arg(long, value_name = "J")]
    to: usize,
    /// How many images to decode on the way, those of both codes included
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000))]
    steps: u32,
    /// The way: a straight line, or the arc around zero
    #[arg(long, value_name = "PATH", default_value = "linear")]
    path: Path,
    /// Where to write the picture
    #[arg(long, value_name = "PNG", default_value = "interpolation.png")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

#[derive(Clone, Copy, ValueEnum)]
enum Path {
    Linear,
    Slerp,
}

impl Interpolate {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        check_place(&self.out, &["png"])?;
        let (checkpoint, images) = self.trained.load(context)?;
        let (first, second) = (chosen("--from", self.from, &images)?, chosen("--to", self.to, &images)?);
        let device = context.device.open_for(&checkpoint).await?;
        let way = match self.path {
            Path::Linear => Interpolation::Linear,
            Path::Slerp => Interpolation::Spherical,
        };
        let a = Reconstructor::new(&device, &checkpoint, &first).await?.run().await?.codes;
        let b = Reconstructor::new(&device, &checkpoint, &second).await?.run().await?.codes;
        let steps = self.steps as usize;
        let codes = way.codes(&a, &b, steps);
        let between = Decoder::new(&device, &checkpoint, steps).await?.decode(&codes).await?;
        let row = [first.values(), between, second.values()].concat();
        Grid { images: &row, shape: checkpoint.shape, columns: steps + 2 }.save(&self.out)?;
        let (part, from, to) = (self.trained.part().name(), self.from, self.to);
        line(&format!("{}: {steps} images decoded from {part} image {from} to {to}", self.out.display()))
    }
}

pub(super) fn chosen(flag: &str, number: usize, images: &Dataset) -> Result<Dataset> {
    if number < images.len() {
        return images.slice(number..number + 1);
    }
    Err(Error::setting(flag, format!("the number of an image, from 0 to {}", images.len() - 1), number))
}
