//! Denoising autoencoders (Vincent et al. 2008; Murphy, 20.3.2): images, the same corrupted, and their reconstructions.

use super::{FigureContext, FigureOutput, Number, Trained};
use crate::Result;
use crate::infer::{Reconstructions, Reconstructor};
use crate::report::Images;

const SHOWN: usize = 10;
const MEASURED: usize = 1_000;

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("Denoising autoencoders");
    let images = context.held_out().first(MEASURED)?;
    let originals = images.floats();
    let shown = originals.len().min(SHOWN * images.pixels());
    for (preset, name, title) in [
        ("denoising", "Gaussian noise", "Gaussian noise of deviation 0.2, not clipped"),
        ("denoising-dropout", "dropout", "Dropout of half of the pixels, the others doubled"),
    ] {
        let model = context.preset(name, preset, 10).await?;
        let mut reconstructor = Reconstructor::corrupted(context.device, &model.checkpoint, &images).await?;
        let results = reconstructor.run().await?;
        let rows = results.beside(&originals).into_iter().map(|images| images[..shown].to_vec());
        let rows = ["original", "seen", "reconstructed"].into_iter().zip(rows);
        output.page.row(vec![Box::new(Images::new(title, images.shape(), SHOWN, rows))]);
        output.numbers.extend([model.per_pixel(), error_left(&model, &results, &originals)]);
        output.models.push(model);
    }
    output.caption = "Validation images, their corrupted versions, which the encoder sees, and the reconstructions. Values beyond \
                      black and white are shown as black and white. The loss is that of clean images, as in publications."
        .to_owned();
    Ok(output)
}

// How much nearer to the original the reconstruction of a corrupted image is than the image itself.
fn error_left(model: &Trained, results: &Reconstructions, originals: &[f32]) -> Number {
    let squares =
        |images: &[f32]| -> f64 { images.iter().zip(originals).map(|(a, b)| f64::from(a - b).powi(2)).sum() };
    let seen = results.seen.as_deref().map_or(0.0, squares);
    let share = 100.0 * squares(&results.images) / seen.max(f64::MIN_POSITIVE);
    model.number("error_left", "squared error left of the corruption's, percent", share)
}
