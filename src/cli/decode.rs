//! `narrows decode`: images or rows of codes that are given.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::Context;
use super::class::{Class, as_classes};
use super::decoded::{Decoded, drawn, of_range};
use super::output::Place;
use super::picture::ENDINGS;
use super::trained::Model;
use crate::data::{Items, read_codes, read_codes_from};
use crate::infer::Decoder;
use crate::{Error, Result};

/// Decode codes
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows encode runs/vae-001 --out codes.csv\n  \
    narrows decode runs/vae-001 codes.csv --out decoded.npy\n  \
    narrows encode runs/vae-001 --out - | narrows decode runs/vae-001 - --out decoded.png\n\n\
    Codes are a .npy array [codes, latent], or a table with the columns z0, z1 and so on, as `narrows encode` writes them;\n\
    other columns are left out, but of a conditional model `class` or `label` says what each is decoded as, or --class what\n\
    all are. What comes on standard input is an array if it begins as one, else a table.\n\n\
    A .npy file of the result holds f32 [codes, height, width, channels] or [codes, columns], a .csv or .jsonl file a\n\
    line for each, in the data's own units: bytes from 0 to 255. What encode gives is decoded to what reconstruct gives.")]
pub(super) struct Decode {
    #[command(flatten)]
    model: Model,
    /// The codes: .npy or .csv, or - for standard input
    #[arg(value_name = "CODES")]
    codes: PathBuf,
    #[command(flatten)]
    class: Class,
    /// Output file: .npy, .csv, .jsonl or .png, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "decoded.npy")]
    out: PathBuf,
    /// Format on standard output: png, npy, csv or jsonl [default: npy]
    #[arg(long, value_name = "FORMAT", value_parser = ENDINGS)]
    format: Option<String>,
}

impl Decode {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &["npy", "csv", "jsonl", "png"])?;
        let same = |file: &Path| {
            file.canonicalize().is_ok_and(|file| self.codes.canonicalize().is_ok_and(|codes| codes == file))
        };
        if place.file().is_some_and(same) {
            return Err(Error::setting("--out", "another file than the codes", self.out.display()));
        }
        let checkpoint = self.model.load(context)?;
        let latent = checkpoint.model()?.latent() as usize;
        let (codes, from) = if self.codes == Path::new("-") {
            let (mut bytes, name) = (Vec::new(), Path::new("standard input"));
            std::io::stdin().lock().read_to_end(&mut bytes).map_err(Error::io("read", name))?;
            (read_codes_from(&bytes, name, latent)?, name)
        } else {
            (read_codes(&self.codes, latent)?, self.codes.as_path())
        };
        let count = codes.len();
        let other = "a table of codes with a column class or label";
        let labels = self.class.of(&checkpoint, Some(&codes), count, other)?;
        let decoded = Decoded { labels, ..Decoded::new(&checkpoint, count) };
        decoded.check("CODES", &place)?;
        let device = context.device.open_for(&checkpoint).await?;
        let mut decoder = Decoder::new(&device, &checkpoint, count).await?;
        let columns = (count as f64).sqrt().ceil() as usize;
        let what = format!(
            "{count} {} decoded from {}{}",
            Items::of(checkpoint.shape).of_count(count),
            from.display(),
            as_classes(&checkpoint, &decoded.labels)
        );
        let draw = |items| drawn(&checkpoint, items, columns);
        decoded.write(&place, &mut decoder, of_range(&codes.floats(), latent), draw, &what).await
    }
}
