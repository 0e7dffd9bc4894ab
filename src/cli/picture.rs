//! `narrows reconstruct`: images beside what a trained model makes of them.

use std::path::PathBuf;

use crate::infer::Reconstructor;
use crate::picture::{Grid, interleaved};
use crate::{Error, Result};

use super::Context;
use super::output::{check_place, line};
use super::trained::Trained;

// More than anybody looks at, and few enough for any memory.
pub(super) const MOST: i64 = 10_000;

/// Reconstruct images as a picture
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  narrows reconstruct runs/vae-001 --count 40 --out reconstructions.png\n  \
    narrows reconstruct runs/denoising-001 --corrupt\n\n\
    Rows alternate: originals, and under them their reconstructions from E[z given x]; with --corrupt the\n\
    corrupted images between the two."
)]
pub(super) struct Reconstruct {
    /// How many images, from the first
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=MOST))]
    count: u32,
    /// Corrupt the images first, as in the model's training
    #[arg(long)]
    corrupt: bool,
    /// Where to write the picture
    #[arg(long, value_name = "PNG", default_value = "reconstructions.png")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

impl Reconstruct {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        check_place(&self.out, &["png"])?;
        let (checkpoint, images) = self.trained.load(context)?;
        if self.corrupt && checkpoint.config.model.corruption().is_none() {
            let got = format!("{}, trained on images as they are", checkpoint.config.preset);
            return Err(Error::setting("--corrupt", "a model trained on corrupted images", got));
        }
        let images = images.slice(0..images.len().min(self.count as usize))?;
        let device = context.device.open_for(&checkpoint).await?;
        let mut reconstructor = if self.corrupt {
            Reconstructor::corrupted(&device, &checkpoint, &images).await?
        } else {
            Reconstructor::new(&device, &checkpoint, &images).await?
        };
        let results = reconstructor.run().await?;
        let columns = images.len().min(10);
        let grid = interleaved(&results.beside(&images.values()), images.pixels(), columns);
        Grid { images: &grid, shape: checkpoint.shape, columns }.save(&self.out)?;
        let (part, count) = (self.trained.part().name(), images.len());
        let corrupted = if self.corrupt { ", corrupted," } else { "" };
        line(&format!("{}: {count} {part} images{corrupted} above their reconstructions", self.out.display()))
    }
}
