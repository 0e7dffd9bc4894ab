//! `narrows sample`: new images, decoded from codes drawn from the prior.

use std::ops::Range;
use std::path::PathBuf;

use crate::data::Items;
use crate::infer::{Decoder, prior_codes_of, prior_grid};
use crate::{Error, Result};

use super::Context;
use super::class::{Class, Tell};
use super::decoded::{Decoded, drawn};
use super::output::Place;
use super::picture::ENDINGS;
use super::trained::Model;

// Of one array; and numbers of codes that one seed draws without drawing one twice.
const MOST_ITEMS: u32 = 10_000_000;
const MOST_DRAWN: u64 = 1 << 34;
// Samples, of all or of each class.
const COUNT: u32 = 64;
const EACH: u32 = 10;

/// Draw new images or rows
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows sample runs/vae-001 --count 100 --seed 7 --out samples.png\n  \
    narrows sample runs/vae-001 --grid 20\n  narrows sample runs/vae-001 --grid 15 --dims 3,7\n  \
    narrows sample runs/cvae-001 --class boot --count 10\n\n\
    Codes are drawn from the prior N(0, 1). With --grid and a 2-D code, or with --grid and --dims, nothing is\n\
    random: the grid is a map of two numbers of the code, at the prior's quantiles (i + 1/2) / N. The first\n\
    grows to the right, the second upwards, all others are 0. With --grid alone and a longer code, the picture\n\
    has N x N random images.\n\n\
    Without --class, samples of a conditional model are --count of each class, a row for each: those of a column share\n\
    their code. A .csv or .jsonl file says the label and the class of each.\n\n\
    Of rows the picture has a histogram for each of the first 12 columns, with lines at what the scaling knows of the\n\
    column in the training part: its mean and a standard deviation to either side, or its smallest and largest number.\n\n\
    A .npy file holds f32 [images, height, width, channels] or [rows, columns], a .csv or .jsonl file a line for each,\n\
    in the data's own units: bytes from 0 to 255.")]
pub(super) struct Sample {
    #[command(flatten)]
    model: Model,
    /// Number of images: at most 10000 in a picture, 10000000 in an array [default: 64, or 10 of each class]
    #[arg(long, value_name = "N", value_parser = super::whole(1..=MOST_ITEMS))]
    count: Option<u32>,
    /// N x N images; for a 2-D code, a map of it; of a conditional model with --class alone
    #[arg(long, value_name = "N", conflicts_with = "count", value_parser = super::whole(1..=100))]
    grid: Option<u32>,
    /// The two numbers of the code that the grid maps, from 0, as 3,7
    #[arg(long, value_name = "I,J", requires = "grid", value_parser = pair)]
    dims: Option<[usize; 2]>,
    #[command(flatten)]
    class: Class,
    /// Seed of the random codes
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = super::seed)]
    seed: u64,
    /// Output file: .png, .npy, .csv or .jsonl, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "samples.png")]
    out: PathBuf,
    /// Format on standard output: png, npy, csv or jsonl [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = ENDINGS)]
    format: Option<String>,
}

fn pair(text: &str) -> std::result::Result<[usize; 2], String> {
    let numbers = text.split(',').map(|number| number.trim().parse().ok());
    let numbers = numbers.collect::<Option<Vec<usize>>>().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or_else(|| "expected two numbers, as 3,7".to_owned())
}

impl Sample {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &ENDINGS)?;
        let checkpoint = self.model.load(context)?;
        checkpoint.check_prior()?;
        let latent = checkpoint.model()?.latent() as usize;
        let (classes, class) = (&checkpoint.transform.classes, self.class.label(&checkpoint)?);
        let of_each = !classes.is_empty() && class.is_none();
        if of_each && self.grid.is_some() {
            let expected = format!(
                "--class with it, since a grid is of one class: one of {}; samples of all classes, a row for each, are those \
                 without --grid",
                classes.join(", ")
            );
            return Err(Error::setting("--grid", expected, "no class"));
        }
        let side = self.grid.map(|side| side as usize);
        let default = if of_each { EACH } else { COUNT };
        let count = side.map_or(self.count.unwrap_or(default) as usize, |side| side * side);
        let spanned = match (side, self.dims) {
            (Some(side), Some(dims)) => Some((side, dims)),
            (Some(side), _) if latent == 2 => Some((side, [0, 1])),
            _ => None,
        };
        let labels = match class {
            Some(class) => vec![class; count],
            None => (0..).zip(classes).flat_map(|(label, _)| std::iter::repeat_n(label, count)).collect(),
        };
        let total = labels.len().max(count);
        if total > MOST_ITEMS as usize {
            let got = format!("{count} of each of {} classes", classes.len());
            return Err(Error::setting("--count", format!("at most {MOST_ITEMS} in all"), got));
        }
        let decoded = Decoded { labels, ..Decoded::new(&checkpoint, total) };
        decoded.check("--count", &place)?;
        if count as u64 * latent as u64 > MOST_DRAWN {
            let expected = format!("at most {} codes of {latent} numbers", MOST_DRAWN / latent as u64);
            return Err(Error::setting("--count", expected, count));
        }
        let grid = spanned.map(|(side, dims)| prior_grid(side, latent, dims)).transpose()?;
        let drawn_codes = |range: Range<usize>| match &grid {
            Some(grid) => grid[range.start * latent..range.end * latent].to_vec(),
            None => prior_codes_of(self.seed, range, latent),
        };
        // The same of each class.
        let codes = |range: Range<usize>| {
            let (mut codes, mut at) = (Vec::with_capacity(range.len() * latent), range.start);
            while at < range.end {
                let first = at % count;
                let end = count.min(first + range.end - at);
                codes.extend(drawn_codes(first..end));
                at += end - first;
            }
            codes
        };
        let device = context.device.open_for(&checkpoint).await?;
        let mut decoder = Decoder::new(&device, &checkpoint, total).await?;
        let square = side.unwrap_or_else(|| (count as f64).sqrt().ceil() as usize);
        let columns = if of_each { count } else { square };
        let of = match spanned {
            Some((_, [across, up])) => {
                format!("quantiles of N(0, 1): number {across} of the code grows to the right, {up} upwards")
            }
            None => "codes of N(0, 1)".to_owned(),
        };
        let of_class = match class.and_then(|class| classes.get(class as usize)) {
            Some(class) => format!(", as {class}"),
            None if of_each => format!(", {count} of each class: {}", classes.join(", ")),
            None => String::new(),
        };
        let items = Items::of(checkpoint.shape).of_count(total);
        let what = format!("{total} {items} decoded from {of}{of_class}");
        let draw = |items| drawn(&checkpoint, items, columns);
        decoded.write(&place, &mut decoder, codes, draw, &what).await
    }
}
