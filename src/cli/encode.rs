//! `narrows encode`: the codes of images, for other programs.

use std::path::PathBuf;

use crate::Result;

use super::Context;
use super::output::Place;
use super::table::Table;
use super::trained::{Trained, codes, counted};

/// Write codes
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows encode runs/vae-001 --out codes.npy\n  \
    narrows encode runs/vae-001 --part train --out codes.csv\n  \
    narrows encode runs/vae-001 --out - --format csv | head\n\n\
    A .npy file holds f32 [images, latent]. A .csv file has the columns z0, z1 and so on, then `label`, `class`,\n\
    `file`, `id` and `row` (its place in its file) if the data set has them. Rows are in the data set's order.")]
pub(super) struct Encode {
    /// Output file: .npy or .csv, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "codes.npy")]
    out: PathBuf,
    /// Format on standard output: npy or csv [default: npy]
    #[arg(long, value_name = "FORMAT", value_parser = ["npy", "csv"])]
    format: Option<String>,
    #[command(flatten)]
    trained: Trained,
}

impl Encode {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &["npy", "csv"])?;
        let (checkpoint, images, part) = self.trained.load(context, place.file())?;
        let device = context.device.open_for(&checkpoint).await?;
        let codes = codes(&device, &checkpoint, &images).await?;
        let latent = checkpoint.model()?.latent();
        let names = (0..latent).map(|number| format!("z{number}")).collect();
        let table = Table::new(names, &images).bytes(&codes, place.ending())?;
        let images = counted(&images, &part);
        place.write(&table, &format!("codes E[z given x] of {images}, {latent} numbers each"))
    }
}
