//! The plane of a model's codes in which they vary most.

use super::{Axis, Histogram, Panel, Pca, Picture, Plot};
use crate::Result;
use crate::data::Dataset;
use crate::graph::Device;
use crate::infer::Encoder;
use crate::train::Checkpoint;

// More points would hide each other.
const SHOWN: usize = 5_000;
const WIDTH: f64 = 520.0;

/// A plot of the codes of up to 5,000 images, and what it shows: the code itself where it has one or two
/// numbers, else its two leading principal components.
pub(super) async fn plot(
    device: &Device,
    checkpoint: &Checkpoint,
    data: &Dataset,
) -> Result<(Picture, String)> {
    let data = data.first(SHOWN)?;
    let codes = Encoder::new(device, checkpoint, &data).await?.run().await?;
    let latent = checkpoint.model()?.latent() as usize;
    let what = format!("codes E[z given x] of {} {}", data.len(), data.items().of_count(data.len()));
    if latent == 1 {
        let picture = Histogram::new("", codes, Axis::new("z0"), 40).picture_at(WIDTH);
        return Ok((picture, format!("How often each of the {what} occurs.")));
    }
    let (places, axes, projection) = if latent == 2 {
        (codes, ["z0", "z1"].map(Axis::new), String::new())
    } else {
        let found = Pca::fit(&codes, latent, 2)?;
        let axes = [0, 1].map(|axis| found.axis(axis));
        (found.project(&codes)?, axes, format!(" on the first two of their {latent} principal components"))
    };
    let plot = Plot::of_images("", &places, &data, None);
    let plot = Plot { axes, equal: true, aspect: Some(0.85), ..plot };
    let coloured = if data.labels.is_some() { ", coloured by class" } else { "" };
    Ok((plot.picture_at(WIDTH), format!("The {what}{projection}{coloured}.")))
}
