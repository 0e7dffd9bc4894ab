//! Denoising autoencoders (Vincent et al. 2008; Murphy, 20.3.2): images, the same corrupted, and what is made of them.

use super::reconstructions::{first, per_pixel};
use super::{Number, Plate, Studio, Trained};
use crate::Result;
use crate::report::{Images, Page, Panel};

const SHOWN: usize = 10;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let mut models = Vec::new();
    let mut numbers = Vec::new();
    let mut page = Page::new("Denoising autoencoders");
    for (preset, name, title) in [
        ("denoising", "Gaussian noise", "Gaussian noise of deviation 0.2, not clipped"),
        ("denoising-dropout", "dropout", "Dropout of half of the pixels, the others doubled"),
    ] {
        let config = studio.settings.preset(preset, 10)?;
        let model = studio.model(name, &config).await?;
        page = page.row(vec![panel(studio, &model, title).await?]);
        numbers.push(per_pixel(&model));
        numbers.push(error(studio, &model).await?);
        models.push(model);
    }
    let caption = "Validation images, what the encoder sees of them, and its reconstruction. Noise beyond black and white is \
                   shown as black and white. The loss is of images that are not corrupted, as it is published.";
    Ok(Plate { page, caption: caption.to_owned(), models, numbers })
}

async fn panel(studio: &Studio<'_>, model: &Trained, title: &str) -> Result<Box<dyn Panel>> {
    let shown = first(studio.held_out(), SHOWN)?;
    let originals = shown.values();
    let results = studio.denoise(model, &shown).await?;
    let names = ["original", "seen", "reconstructed"].map(str::to_owned);
    let rows = results.beside(&originals).into_iter().map(<[f32]>::to_vec);
    Ok(Box::new(Images {
        title: title.to_owned(),
        shape: model.checkpoint.shape,
        columns: SHOWN,
        rows: names.into_iter().zip(rows).collect(),
    }))
}

// How much nearer to the original the reconstruction of a corrupted image is than the image itself.
async fn error(studio: &Studio<'_>, model: &Trained) -> Result<Number> {
    let images = first(studio.held_out(), 1_000)?;
    let originals = images.values();
    let results = studio.denoise(model, &images).await?;
    let squares = |images: &[f32]| -> f64 {
        images.iter().zip(&originals).map(|(a, b)| f64::from(a - b).powi(2)).sum()
    };
    let seen = results.seen.as_deref().map_or(0.0, squares);
    let name = format!("{}.error_left", super::reconstructions::key(&model.name));
    let what = format!("{}: squared error left of the corruption's, percent", model.name);
    Ok(Number::new(name, what, 100.0 * squares(&results.images) / seen.max(f64::MIN_POSITIVE)))
}
