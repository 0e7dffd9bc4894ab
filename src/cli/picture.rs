//! `narrows reconstruct`: images above their reconstructions.

use std::path::PathBuf;

use crate::infer::Reconstructor;
use crate::picture::{Grid, interleaved};
use crate::{Error, Result};

use super::Context;
use super::output::Place;
use super::trained::{Trained, counted};

// Images in one picture: enough to look at, and few enough for any memory.
pub(super) const MOST: i64 = 10_000;

/// Reconstruct images as a picture
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  narrows reconstruct runs/vae-001 --count 40 --out reconstructions.png\n  \
    narrows reconstruct runs/denoising-001 --corrupt\n\n\
    Each row of images is followed by a row of their reconstructions from E[z given x]. With --corrupt, a row\n\
    with the corrupted images is between the two."
)]
pub(super) struct Reconstruct {
    /// Number of images, from the first
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=MOST))]
    count: u32,
    /// Corrupt the images first, as in training
    #[arg(long)]
    corrupt: bool,
    /// Output file, or - for standard output
    #[arg(long, value_name = "PNG", default_value = "reconstructions.png")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

impl Reconstruct {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, None, &["png"])?;
        let (checkpoint, images, part) = self.trained.load(context, place.file())?;
        if self.corrupt && checkpoint.config.model.corruption().is_none() {
            let got = format!("{}, trained without corruption", checkpoint.config.preset);
            return Err(Error::setting("--corrupt", "a model trained on corrupted images", got));
        }
        let images = images.first(self.count as usize)?;
        let device = context.device.open_for(&checkpoint).await?;
        let mut reconstructor = if self.corrupt {
            Reconstructor::corrupted(&device, &checkpoint, &images).await?
        } else {
            Reconstructor::new(&device, &checkpoint, &images).await?
        };
        let results = reconstructor.run().await?;
        let columns = images.len().min(10);
        let grid = checkpoint.transform.shown(interleaved(
            &results.beside(&images.floats()),
            images.pixels(),
            columns,
        ));
        let picture = Grid { images: &grid, shape: checkpoint.shape, columns }.png()?;
        let whose = if images.len() == 1 { "its reconstruction" } else { "their reconstructions" };
        let images = counted(&images, &part);
        let corrupted = if self.corrupt { ", corrupted," } else { "" };
        place.write(&picture, &format!("{images}{corrupted} above {whose}"))
    }
}
