//! `narrows embed`: the codes of images in two dimensions, as a plot or a table.

use std::path::PathBuf;

use crate::infer::Reconstructor;
use crate::report::{Axis, Panel, Pca, Plot, Tsne};
use crate::{Error, Result};
use clap::ValueEnum;

use super::Context;
use super::output::{check_place, line};
use super::picture::MOST;
use super::table::csv;
use super::trained::Trained;

/// Draw or write codes in two dimensions
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows embed runs/vae-001 --thumbnails --out codes.png\n  \
    narrows embed runs/vae-001 --method pca --part validation\n  \
    narrows embed runs/vae-001 --perplexity 50 --seed 3 --out codes.csv\n\n\
    Codes are E[z given x]. Points are coloured by class where the data set has labels. t-SNE shows what is\n\
    near what; distances between groups, and its axes, mean little. Of a code of two numbers, --method codes\n\
    shows the numbers themselves. A .csv has columns x and y, and `label`, `class` and `file` as far as they\n\
    are known.")]
pub(super) struct Embed {
    /// How codes become two numbers
    #[arg(long, value_name = "METHOD", default_value = "tsne")]
    method: Method,
    /// How many images, from the first
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=10 * MOST))]
    count: u32,
    /// How many neighbours t-SNE has each image feel [default: 30, or a third of the images where they are few]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    perplexity: Option<f32>,
    /// Decides the jitter that t-SNE starts with
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Show images where there is room
    #[arg(long)]
    thumbnails: bool,
    /// Where to write: .svg, .png or .csv
    #[arg(long, value_name = "FILE", default_value = "embedding.svg")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    /// t-distributed stochastic neighbour embedding
    Tsne,
    /// The two leading principal components
    Pca,
    /// The code itself, where it is two numbers
    Codes,
}

/// Two numbers an image, and what they are.
struct Places {
    values: Vec<f32>,
    axes: [Axis; 2],
    meaning: String,
}

impl Embed {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        check_place(&self.out, &["svg", "png", "csv"])?;
        let (checkpoint, images) = self.trained.load(context)?;
        let images = images.slice(0..images.len().min(self.count as usize))?;
        self.check(images.len(), checkpoint.model()?.latent())?;
        let device = context.device.open_for(&checkpoint).await?;
        let codes = Reconstructor::new(&device, &checkpoint, &images).await?.run().await?.codes;
        let places = self.places(&codes, images.len())?;
        let (part, count) = (self.trained.part().name(), images.len());
        let what = format!("{} of the codes of {count} {part} images", places.meaning);
        if self.out.extension().is_some_and(|ending| ending == "csv") {
            let bytes = csv(["x", "y"].map(str::to_owned).to_vec(), &places.values, &images);
            bytes
                .and_then(|bytes| std::fs::write(&self.out, bytes))
                .map_err(Error::io("write", &self.out))?;
        } else {
            let title = format!("{}: {what} of {}", checkpoint.config.preset, images.name);
            let plot = Plot::of_images(title, &places.values, &images, self.thumbnails);
            let plot = Plot { axes: places.axes, equal: self.method != Method::Pca, ..plot };
            plot.picture().save(&self.out)?;
        }
        line(&format!("{}: {what}", self.out.display()))
    }

    // What can be known to be wrong before anything is computed.
    fn check(&self, images: usize, latent: u32) -> Result<()> {
        if self.method == Method::Codes && latent != 2 {
            let got = format!("{latent}; --method tsne or pca makes two of them");
            return Err(Error::setting("--method codes", "a code of 2 numbers", got));
        }
        if self.method == Method::Tsne && images < 4 {
            return Err(Error::setting("--method tsne", "at least 4 images", images));
        }
        Ok(())
    }

    fn places(&self, codes: &[f32], images: usize) -> Result<Places> {
        let latent = codes.len() / images;
        Ok(match self.method {
            Method::Tsne => {
                let usual = Tsne::for_points(images, self.seed);
                let perplexity = self.perplexity.unwrap_or(usual.perplexity);
                let values = Tsne { perplexity, ..usual }.places(codes, latent)?;
                let axes = ["", ""].map(Axis::new);
                Places { values, axes, meaning: format!("t-SNE (perplexity {perplexity})") }
            }
            Method::Pca => {
                let found = Pca::fit(codes, latent, 2)?;
                let axes = [0, 1].map(|number| found.axis(number));
                let share: f64 = found.explained.iter().map(|share| 100.0 * share).sum();
                let meaning = format!("principal components ({share:.1} % of the variance)");
                Places { values: found.project(codes)?, axes, meaning }
            }
            Method::Codes => {
                let axes = ["number 0 of the code", "number 1"].map(Axis::new);
                Places { values: codes.to_vec(), axes, meaning: "plot".to_owned() }
            }
        })
    }
}
