//! `narrows embed`: a map of codes in two dimensions, as a plot or a table.

use std::path::PathBuf;

use crate::report::{Axis, Panel, Pca, Plot, Tsne};
use crate::{Error, Result};

use super::Context;
use super::output::Place;
use super::table::Table;
use super::trained::{Trained, codes, counted};

// Points of a plot.
const MOST: u32 = 100_000;

/// Draw or write a map of codes in two dimensions
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows embed runs/vae-001 --thumbnails --out codes.png\n  \
    narrows embed runs/vae-001 --method pca --part validation\n  \
    narrows embed runs/vae-001 --perplexity 50 --seed 3 --out codes.csv\n\n\
    Codes are E[z given x]. Points are coloured by class if the data set has labels. t-SNE shows which codes\n\
    are neighbours; its axes and the distances between groups mean little. --method codes plots a 2-D code as\n\
    it is. A .csv file has the columns x and y, then `label`, `class` and `file` if the data set has them.")]
pub(super) struct Embed {
    /// tsne, pca (the two leading principal components) or codes (a 2-D code as it is)
    #[arg(long, value_name = "METHOD", default_value = "tsne", value_parser = ["tsne", "pca", "codes"])]
    method: String,
    /// Number of images, from the first
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = super::whole(1..=MOST))]
    count: u32,
    /// Perplexity of t-SNE, about the number of neighbours of an image [default: 30, fewer for few images]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    perplexity: Option<f32>,
    /// Seed of t-SNE's start
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = super::seed)]
    seed: u64,
    /// Draw some of the images themselves, without overlap
    #[arg(long)]
    thumbnails: bool,
    /// Output file: .svg, .png or .csv, or - for standard output
    #[arg(long, value_name = "FILE", default_value = "embedding.svg")]
    out: PathBuf,
    /// Format on standard output: svg, png or csv [default: svg]
    #[arg(long, value_name = "FORMAT", value_parser = ["svg", "png", "csv"])]
    format: Option<String>,
    #[command(flatten)]
    trained: Trained,
}

// Two numbers per image, their axes, and their meaning.
type Places = (Vec<f32>, [Axis; 2], String);

impl Embed {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        let place = Place::new(&self.out, self.format.as_deref(), &["svg", "png", "csv"])?;
        let (checkpoint, images, part) = self.trained.load(context, place.file())?;
        let images = images.first(self.count as usize)?;
        self.check(images.len(), checkpoint.model()?.latent())?;
        let device = context.device.open_for(&checkpoint).await?;
        let codes = codes(&device, &checkpoint, &images).await?;
        let (places, axes, meaning) = self.places(&codes, images.len())?;
        let what = format!("{meaning} of the codes of {}", counted(&images, &part));
        let bytes = if place.ending() == "csv" {
            Table::new(["x", "y"].map(str::to_owned).to_vec(), &images).bytes(&places, "csv")?
        } else {
            let title = format!("{}: {what} of {}", checkpoint.config.preset, images.name);
            let shown = self.thumbnails.then(|| checkpoint.transform.shown(images.floats()));
            let plot = Plot::of_images(title, &places, &images, shown);
            let plot = Plot { axes, equal: self.method != "pca", ..plot };
            if place.ending() == "svg" { plot.picture().svg().into_bytes() } else { plot.picture().png()? }
        };
        place.write(&bytes, &what)
    }

    // Checks before anything is computed.
    fn check(&self, images: usize, latent: u32) -> Result<()> {
        if self.method == "codes" && latent != 2 {
            let got = format!("{latent} numbers; use --method tsne or pca");
            return Err(Error::setting("--method codes", "a 2-D code", got));
        }
        if self.method == "tsne" && images < 4 {
            return Err(Error::setting("--method tsne", "at least 4 images", images));
        }
        Ok(())
    }

    fn places(&self, codes: &[f32], images: usize) -> Result<Places> {
        let latent = codes.len() / images;
        Ok(match self.method.as_str() {
            "tsne" => {
                let usual = Tsne::for_points(images, self.seed);
                let perplexity = self.perplexity.unwrap_or(usual.perplexity);
                let values = Tsne { perplexity, ..usual }.places(codes, latent)?;
                (values, ["", ""].map(Axis::new), format!("t-SNE (perplexity {perplexity})"))
            }
            "pca" => {
                let found = Pca::fit(codes, latent, 2)?;
                let axes = [0, 1].map(|number| found.axis(number));
                let share: f64 = found.explained.iter().map(|share| 100.0 * share).sum();
                let meaning = format!("principal components ({share:.1} % of the variance)");
                (found.project(codes)?, axes, meaning)
            }
            _ => {
                let axes = ["number 0 of the code", "number 1"].map(Axis::new);
                (codes.to_vec(), axes, "plot".to_owned())
            }
        })
    }
}
