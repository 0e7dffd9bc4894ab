//! `narrows embed`: a map of codes in two dimensions, as a plot or a table.

use std::path::PathBuf;

use crate::data::Dataset;
use crate::report::{Axis, Panel, Scatter, Thumbnails, Tsne, pca};
use crate::{Error, Result};

use super::Context;
use super::output::{check_place, wrote};
use super::picture::MOST;
use super::table;
use super::trained::{Trained, codes, first};

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
    #[arg(long, value_name = "N", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=10 * MOST))]
    count: u32,
    /// Perplexity of t-SNE, about the number of neighbours of an image [default: 30, fewer for few images]
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    perplexity: Option<f32>,
    /// Seed of t-SNE's start
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Draw some of the images themselves, without overlap
    #[arg(long)]
    thumbnails: bool,
    /// Output file: .svg, .png or .csv
    #[arg(long, value_name = "FILE", default_value = "embedding.svg")]
    out: PathBuf,
    #[command(flatten)]
    trained: Trained,
}

// Two numbers per image, their axes, and their meaning.
type Places = (Vec<f32>, [Axis; 2], String);

impl Embed {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        check_place(&self.out, &["svg", "png", "csv"])?;
        let (checkpoint, images) = self.trained.load(context)?;
        let images = first(&images, self.count as usize)?;
        self.check(images.len(), checkpoint.model()?.latent())?;
        let device = context.device.open_for(&checkpoint).await?;
        let codes = codes(&device, &checkpoint, &images).await?;
        let (places, axes, meaning) = self.places(&codes, images.len())?;
        let (part, count) = (&self.trained.part, images.len());
        let what = format!("{meaning} of the codes of {count} {part} images");
        if self.out.extension().is_some_and(|ending| ending == "csv") {
            table::write(&self.out, ["x", "y"].map(str::to_owned).to_vec(), &places, &images)?;
        } else {
            let title = format!("{}: {what} of {}", checkpoint.config.preset, images.name);
            self.scatter(title, &places, axes, &images).picture().save(&self.out)?;
        }
        wrote(&self.out, &what)
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
                let usual = Tsne::default();
                let perplexity = usual.perplexity.min(Tsne::largest_perplexity(images));
                let perplexity = self.perplexity.unwrap_or(perplexity);
                let values = Tsne { perplexity, seed: self.seed, ..usual }.places(codes, latent)?;
                (values, ["", ""].map(Axis::bare), format!("t-SNE (perplexity {perplexity})"))
            }
            "pca" => {
                let found = pca(codes, latent, 2)?;
                let share = |at: usize| 100.0 * found.explained.get(at).copied().unwrap_or(0.0);
                let axis = |at: usize| {
                    Axis::new(format!("component {} ({:.1} % of the variance)", at + 1, share(at)))
                };
                let meaning = format!("principal components ({:.1} % of the variance)", share(0) + share(1));
                (found.coordinates, [axis(0), axis(1)], meaning)
            }
            _ => {
                let axes = ["number 0 of the code", "number 1"].map(Axis::new);
                (codes.to_vec(), axes, "plot".to_owned())
            }
        })
    }

    fn scatter(&self, title: String, places: &[f32], axes: [Axis; 2], images: &Dataset) -> Scatter {
        let (points, _) = places.as_chunks::<2>();
        let names: Vec<&str> = images.classes.iter().map(String::as_str).collect();
        let thumbnails = self.thumbnails.then(|| Thumbnails {
            points: points.to_vec(),
            images: images.images.clone(),
            shape: [images.height, images.width, images.channels],
            classes: images.labels.clone().unwrap_or_default(),
        });
        let scatter = Scatter::of_classes(title, points, images.labels.as_deref(), &names);
        Scatter { axes, thumbnails, equal: self.method != "pca", ..scatter }
    }
}
