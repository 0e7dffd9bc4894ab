//! `narrows encode`: the codes of images, for other programs.

use std::path::PathBuf;

use crate::Result;

use super::Context;
use super::output::{check_place, wrote};
use super::table;
use super::trained::{Trained, codes, counted};

/// Write codes
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows encode runs/vae-001 --out codes.npy\n  \
    narrows encode runs/vae-001 --part train --out codes.csv\n\n\
    A .npy file holds f32 [images, latent]. A .csv file has the columns z0, z1 and so on, then `label`, `class`,\n\
    `file`, `id` and `row` (its place in its file) if the data set has them. Rows are in the data set's order.")]
pub(super) struct Encode {
    /// Output file: .npy or .csv
    #[arg(long, value_name = "FILE", default_value = "codes.npy")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

impl Encode {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        check_place(&self.out, &["npy", "csv"])?;
        let (checkpoint, images, part) = self.trained.load(context, Some(&self.out))?;
        let device = context.device.open_for(&checkpoint).await?;
        let codes = codes(&device, &checkpoint, &images).await?;
        let latent = checkpoint.model()?.latent();
        let names = (0..latent).map(|number| format!("z{number}")).collect();
        table::write(&self.out, names, &codes, &images)?;
        let images = counted(&images, &part);
        wrote(&self.out, &format!("codes E[z given x] of {images}, {latent} numbers each"))
    }
}
