//! `narrows reconstruct`: images above their reconstructions.

use std::path::PathBuf;

use crate::data::Items;
use crate::infer::Reconstructor;
use crate::picture::{Grid, interleaved};
use crate::report::{column_names, reconstructed_columns};
use crate::{Error, Result};

use super::Context;
use super::output::Place;
use super::table::Table;
use super::trained::{Trained, counted};

// Images in one picture: enough to look at, and few enough for any memory.
pub(super) const MOST: usize = 10_000;
// Formats of images and rows.
pub(super) const ENDINGS: [&str; 4] = ["png", "npy", "csv", "jsonl"];
const SHOWN: u32 = 40;
const PLOTTED: u32 = 1_000;

/// Reconstruct images or rows
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  narrows reconstruct runs/vae-001 --count 40 --out reconstructions.png\n  \
    narrows reconstruct runs/denoising-001 --corrupt\n  \
    narrows reconstruct runs/vae-002 --data new.csv --out new-reconstructed.csv\n\n\
    Each row of images is followed by a row of their reconstructions from E[z given x]. With --corrupt, a row\n\
    with the corrupted images is between the two. Of rows the picture has plots: at most 12 columns, given and\n\
    reconstructed, those that are explained least first.\n\n\
    A .npy file holds the reconstructions alone, f32 [images, height, width, channels] or [rows, columns], a .csv or\n\
    .jsonl file a line for each, in the data's own units: bytes from 0 to 255."
)]
pub(super) struct Reconstruct {
    /// Number of images, from the first [default: 40 in a picture, 1000 rows in a plot, else all]
    #[arg(long, value_name = "N", value_parser = super::whole(1..=u32::MAX))]
    count: Option<u32>,
    /// Corrupt the images first, as in training
    #[arg(long)]
    corrupt: bool,
    /// Output file: .png, .npy, .csv or .jsonl, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "reconstructions.png")]
    out: PathBuf,
    /// Format on standard output: png, npy, csv or jsonl [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = ENDINGS)]
    format: Option<String>,
    #[command(flatten)]
    trained: Trained,
}

impl Reconstruct {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &ENDINGS)?;
        let (checkpoint, images, part) = self.trained.load(context, place.file())?;
        if self.corrupt && checkpoint.config.model.corruption().is_none() {
            let got = format!("{}, trained without corruption", checkpoint.config.preset);
            return Err(Error::setting("--corrupt", "a model trained on corrupted images", got));
        }
        let drawn = place.ending() == "png";
        let shown = if images.items() == Items::Rows { PLOTTED } else { SHOWN };
        let count = self.count.unwrap_or(if drawn { shown } else { u32::MAX });
        if drawn && count as usize > MOST {
            let expected = format!("at most {MOST} in a picture; --out FILE.npy takes all");
            return Err(Error::setting("--count", expected, count));
        }
        let images = images.first(count as usize)?;
        let device = context.device.open_for(&checkpoint).await?;
        let mut reconstructor = if self.corrupt {
            Reconstructor::corrupted(&device, &checkpoint, &images).await?
        } else {
            Reconstructor::new(&device, &checkpoint, &images).await?
        };
        let results = reconstructor.run().await?;
        if !drawn {
            let values = checkpoint.in_own_units(results.images);
            let table = Table::of_items(&checkpoint, Some(&images));
            let what = format!("reconstructions of {}", counted(&images, &part));
            return place.write(&table.bytes(&values, place.ending())?, &what);
        }
        if images.items() == Items::Rows {
            let names = column_names(&checkpoint.columns, images.pixels());
            let what = format!("columns of {}, given and reconstructed", counted(&images, &part));
            let page = reconstructed_columns(&what, &names, &images.floats(), &results.images);
            return place.write(&page.picture().png()?, &what);
        }
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
