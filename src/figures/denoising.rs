//! Denoising autoencoders (Vincent et al. 2008; Murphy, 20.3.2): images, the same corrupted, and their reconstructions.

use super::reconstructions::first;
use super::{FigureContext, FigureOutput, Number, Trained};
use crate::Result;
use crate::report::Images;

const SHOWN: usize = 10;
const MEASURED: usize = 1_000;

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("Denoising autoencoders");
    for (preset, name, title) in [
        ("denoising", "Gaussian noise", "Gaussian noise of deviation 0.2, not clipped"),
        ("denoising-dropout", "dropout", "Dropout of half of the pixels, the others doubled"),
    ] {
        let model = context.preset(name, preset, 10).await?;
        output.page.row(vec![Box::new(images(context, &model, title).await?)]);
        output.numbers.extend([model.per_pixel(), error(context, &model).await?]);
        output.models.push(model);
    }
    output.caption = "Validation images, what the encoder sees of them, and its reconstruction. Noise beyond black and white is \
                      shown as black and white. The loss is of images that are not corrupted, as it is published."
        .to_owned();
    Ok(output)
}

async fn images(context: &FigureContext<'_>, model: &Trained, title: &str) -> Result<Images> {
    let shown = first(context.held_out(), SHOWN)?;
    let originals = shown.values();
    let results = context.denoise(model, &shown).await?;
    let names = ["original", "seen", "reconstructed"].map(str::to_owned);
    let rows = names.into_iter().zip(results.beside(&originals).into_iter().map(<[f32]>::to_vec));
    Ok(Images { title: title.to_owned(), shape: shown.shape(), columns: SHOWN, rows: rows.collect() })
}

// How much nearer to the original the reconstruction of a corrupted image is than the image itself.
async fn error(context: &FigureContext<'_>, model: &Trained) -> Result<Number> {
    let images = first(context.held_out(), MEASURED)?;
    let originals = images.values();
    let results = context.denoise(model, &images).await?;
    let squares = |images: &[f32]| -> f64 {
        images.iter().zip(&originals).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    };
    let seen = results.seen.as_deref().map_or(0.0, squares);
    let share = 100.0 * squares(&results.images) / seen.max(f64::MIN_POSITIVE);
    Ok(model.number("error_left", "squared error left of the corruption's, percent", share))
}
