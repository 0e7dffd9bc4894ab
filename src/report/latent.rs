//! The plane of a model's codes in which they vary most.

use super::{Axis, Histogram, Panel, Picture, Scatter, pca};
use crate::Result;
use crate::data::Dataset;
use crate::graph::Device;
use crate::infer::Reconstructor;
use crate::train::Checkpoint;

// More would only hide each other.
const SHOWN: usize = 5_000;
const WIDTH: f64 = 520.0;

/// A plot of the codes of up to 5,000 images, and what it shows: the code itself where it has one or two
/// numbers, else its two leading principal components.
pub(super) async fn plot(
    device: &Device,
    checkpoint: &Checkpoint,
    data: &Dataset,
) -> Result<(Picture, String)> {
    let data = data.slice(0..data.len().min(SHOWN))?;
    let codes = Reconstructor::new(device, checkpoint, &data).await?.run().await?.codes;
    let latent = checkpoint.model()?.latent() as usize;
    let what = format!("codes E[z given x] of {} images", data.len());
    if latent == 1 {
        let range = Axis::new("").span(&codes);
        let picture = Histogram::new("", codes, "z0", range, 40).picture_at(WIDTH);
        return Ok((picture, format!("How often each of the {what} occurs.")));
    }
    let (points, labels, caption) = if latent == 2 {
        let points = codes.as_chunks::<2>().0.to_vec();
        (points, ["z0", "z1"].map(str::to_owned), format!("The {what}, coloured by class."))
    } else {
        let found = pca(&codes, latent, 2)?;
        let share = |axis: usize| 100.0 * found.explained.get(axis).copied().unwrap_or(0.0);
        let label = |axis: usize| format!("component {} ({:.0} % of the variance)", axis + 1, share(axis));
        let points = found.coordinates.as_chunks::<2>().0.to_vec();
        let caption = format!(
            "The {what}, on the first two of their {latent} principal components, coloured by class."
        );
        (points, [label(0), label(1)], caption)
    };
    let mut scatter = Scatter::of_classes("", &points, data.labels.as_deref(), &data.classes);
    scatter.axes = labels.map(Axis::new);
    scatter.equal = true;
    scatter.aspect = 0.85;
    Ok((scatter.picture_at(WIDTH), caption))
}
