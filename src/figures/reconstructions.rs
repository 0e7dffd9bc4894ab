//! Reconstructions by the MLP and the CNN (Murphy, figure 20.17).

use super::{Number, Plate, Studio, Trained};
use crate::Result;
use crate::data::Dataset;
use crate::report::{Images, Page};

// Three poolings and three doublings lead back to it.
const CNN_SHAPE: [usize; 3] = [28, 28, 1];

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let models = plain(studio).await?;
    let shown = first(studio.held_out(), 10)?;
    let mut rows = vec![("original".to_owned(), shown.values())];
    let mut numbers = Vec::new();
    for model in &models {
        rows.push((model.name.clone(), studio.reconstruct(model, &shown).await?.images));
        numbers.push(per_pixel(model));
    }
    let images =
        Images { shape: models[0].checkpoint.shape, columns: shown.len(), rows, ..Images::default() };
    Ok(Plate {
        page: Page::new("Reconstructions of validation images").row(vec![Box::new(images)]),
        caption: "Images that no model was trained on, and what each makes of them.".to_owned(),
        models,
        numbers,
    })
}

/// The MLP and, for images of the size that it is made for, the CNN.
pub(super) async fn plain(studio: &mut Studio<'_>) -> Result<Vec<Trained>> {
    let config = studio.settings.preset("mlp", 5)?;
    let mut models = vec![studio.model("MLP", &config).await?];
    let Dataset { height, width, channels, .. } = studio.split.train;
    if [height, width, channels] == CNN_SHAPE {
        let config = studio.settings.preset("cnn", 1)?;
        models.push(studio.model("CNN", &config).await?);
    }
    Ok(models)
}

/// The first images of a set.
pub(super) fn first(images: &Dataset, count: usize) -> Result<Dataset> {
    images.slice(0..images.len().min(count))
}

/// A model's validation loss as it is published: without penalty, mean per pixel.
pub(super) fn per_pixel(model: &Trained) -> Number {
    let pixels: usize = model.checkpoint.shape.iter().product();
    let reconstruction = model.means.reconstruction();
    let (unit, value) = reconstruction.map_or(("", f64::NAN), |(term, value)| (&*term.unit, value));
    let name = format!("{}.validation_per_pixel", key(&model.name));
    let what = format!("{}: reconstruction on the validation images, {unit}, mean per pixel", model.name);
    Number::new(name, what, value / pixels as f64)
}

/// A model's name as the beginning of numbers' names.
pub(super) fn key(name: &str) -> String {
    let letter = |letter: char| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '_' };
    name.chars().map(letter).collect()
}
