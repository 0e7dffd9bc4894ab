//! `narrows encode`: the codes of images, for other programs.

use std::io;
use std::path::PathBuf;

use crate::infer::Reconstructor;
use crate::{Error, Result};
use npyz::WriterBuilder;

use super::Context;
use super::output::{check_place, line};
use super::table::csv;
use super::trained::Trained;

/// Write codes
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows encode runs/vae-001 --out codes.npy\n  \
    narrows encode runs/vae-001 --part train --out codes.csv\n\n\
    .npy holds f32 [images, latent]; .csv has a header z0,z1,... and columns `label`, `class` and `file` where\n\
    the data set has labels, names for them, and a file for each image. Rows are in the data set's order.")]
pub(super) struct Encode {
    /// Where to write: .npy or .csv
    #[arg(long, value_name = "FILE", default_value = "codes.npy")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

impl Encode {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        check_place(&self.out, &["npy", "csv"])?;
        let (checkpoint, images) = self.trained.load(context)?;
        let device = context.device.open_for(&checkpoint).await?;
        let codes = Reconstructor::new(&device, &checkpoint, &images).await?.run().await?.codes;
        let latent = checkpoint.model()?.latent() as usize;
        let bytes = if self.out.extension().is_some_and(|ending| ending == "npy") {
            npy(&codes, latent)
        } else {
            csv((0..latent).map(|number| format!("z{number}")).collect(), &codes, &images)
        };
        // In one piece, so that a full disk cannot go unnoticed in a buffer.
        bytes.and_then(|bytes| std::fs::write(&self.out, bytes)).map_err(Error::io("write", &self.out))?;
        let (part, count) = (self.trained.part().name(), images.len());
        line(&format!(
            "{}: codes E[z given x] of {count} {part} images, {latent} numbers each",
            self.out.display()
        ))
    }
}

fn npy(codes: &[f32], latent: usize) -> io::Result<Vec<u8>> {
    let shape = [(codes.len() / latent) as u64, latent as u64];
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(codes.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}
