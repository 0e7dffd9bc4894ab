//! `narrows decode`: images or rows of codes that are given.

use std::path::{Path, PathBuf};

use super::Context;
use super::class::Class;
use super::output::Place;
use super::picture::{ENDINGS, MOST};
use super::sample::{decoded, labelled};
use super::trained::Model;
use crate::data::{self, Dataset, Items, Reading, Source, TableForm};
use crate::infer::Decoder;
use crate::{Error, Result};

/// Decode codes
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows encode runs/vae-001 --out codes.csv\n  \
    narrows decode runs/vae-001 codes.csv --out decoded.npy\n\n\
    Codes are a .npy array [codes, latent], or a table with the columns z0, z1 and so on, as `narrows encode` writes them;\n\
    other columns are left out. A .npy file of the result holds f32 [codes, height, width, channels] or [codes, columns],\n\
    a .csv or .jsonl file a line for each, in the data's own units: bytes from 0 to 255. What encode gives is decoded to\n\
    what reconstruct gives. Of a conditional model the column `class` or `label` says the class of each code, or --class that\n\
    of all.")]
pub(super) struct Decode {
    #[command(flatten)]
    model: Model,
    /// The codes: .npy or .csv
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
        let conditional = !checkpoint.transform.classes.is_empty();
        let codes = read(&self.codes, latent, conditional)?;
        let count = codes.len();
        let labels = self.class.of(&checkpoint, Some(&codes), count)?;
        if place.ending() == "png" && count as i64 > MOST {
            let expected = format!("at most {MOST} codes in a picture; --out FILE.npy takes all");
            return Err(Error::setting("--out", expected, count));
        }
        let device = context.device.open_for(&checkpoint).await?;
        let mut decoder = Decoder::new(&device, &checkpoint, count).await?;
        let items = decoder.decode_as(&codes.floats(), &labels).await?;
        let columns = (count as f64).sqrt().ceil() as usize;
        let labelled = labelled(&checkpoint, &items, &labels)?;
        let bytes = decoded(&checkpoint, items, columns, place.ending(), labelled.as_ref())?;
        let what = Items::of(checkpoint.shape).of_count(count);
        place.write(&bytes, &format!("{count} {what} decoded from {}", self.codes.display()))
    }
}

// Codes `[codes, latent]`, with labels where they are told and wanted.
fn read(path: &Path, latent: usize, labelled: bool) -> Result<Dataset> {
    let source = Source::at(path).filter(|source| matches!(source, Source::Npy | Source::Table));
    let source = source.ok_or_else(|| {
        let expected = "a .npy array or a .csv table that exists";
        Error::setting("CODES", expected, path.display())
    })?;
    let codes_of = |width: usize, label: Option<&str>| {
        let columns = (0..width).map(|at| format!("z{at}")).collect();
        let table = TableForm { columns, label: label.map(str::to_owned), ..TableForm::default() };
        let reading = Reading { table, ..Reading::default() };
        data::load_whole(source, Some(path), &reading)
    };
    let wrong = |got: String| {
        Error::setting("CODES", format!("f32 codes [codes, {latent}], as of `narrows encode`"), got)
    };
    // Codes of a wider model are no codes of this one.
    if source == Source::Table && codes_of(latent + 1, None).is_ok() {
        return Err(wrong(format!("{}, which has z{latent} too", path.display())));
    }
    let with_labels = ["class", "label"].into_iter().filter(|_| labelled && source == Source::Table);
    let with_labels = with_labels.filter_map(|label| codes_of(latent, Some(label)).ok()).next();
    let (codes, _) = with_labels.map_or_else(|| codes_of(latent, None), Ok).map_err(|error| match error {
        Error::Setting { got, .. } => wrong(format!("{}, without {got}", path.display())),
        error => error,
    })?;
    if codes.pixels() != latent || codes.height != 1 || codes.channels != 1 {
        return Err(wrong(format!("{} of {}", Items::shaped(codes.shape()), path.display())));
    }
    if codes.values.are_bytes() {
        return Err(wrong(format!("bytes in {}", path.display())));
    }
    Ok(codes)
}
