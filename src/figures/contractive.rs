//! The contractive autoencoder beside others of its size (Rifai et al. 2011; Murphy, 20.3.3): filters, saturation, and how
//! strongly codes answer to images.

use super::reconstructions::{first, key, per_pixel};
use super::{News, Number, Plate, Studio, Trained};
use crate::infer::JacobianNorms;
use crate::report::{Colour, Histogram, Images, Page, Panel};
use crate::{Error, Result};

// Filters in a row, and activations that count as saturated.
const FILTERS: usize = 20;
const SATURATED: f32 = 0.05;
// Norms are means over so many images at most: each is a Jacobian of a thousand units.
const MEASURED: usize = 1_000;

/// Preset, name, and the epochs that are enough to see what there is.
const MODELS: [(&str, &str, u32); 4] = [
    ("tied", "plain", 4),
    ("tied-denoising", "denoising", 4),
    ("tied-decay", "weight decay", 4),
    ("contractive", "contractive", 4),
];

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let images = first(studio.held_out(), MEASURED)?;
    let (mut models, mut numbers) = (Vec::new(), Vec::new());
    let (mut filters, mut histograms, mut norms) = (Vec::new(), Vec::new(), Vec::new());
    for (number, (preset, name, quick)) in MODELS.into_iter().enumerate() {
        let config = studio.settings.preset(preset, quick)?;
        let model = studio.model(name, &config).await?;
        filters.push((name.to_owned(), rows(&model)?));
        let codes = studio.reconstruct(&model, &images).await?.codes;
        studio.tell(News::Busy(&format!("{name}: Jacobians at {} images", images.len())))?;
        let measured = JacobianNorms::new(studio.device, &model.checkpoint, &images).await?;
        numbers.push(Number::new(
            format!("{}.jacobian_norm", key(name)),
            format!("{name}: Frobenius norm of the encoder's Jacobian, mean over validation images"),
            measured.mean(),
        ));
        numbers.push(saturation(&model, &codes));
        numbers.push(per_pixel(&model));
        norms.push((name.to_owned(), measured.norms, Colour::of_class(number)));
        histograms.push(Histogram::new(name, codes, "activation", [0.0, 1.0], 20));
        models.push(model);
    }
    let [left, right]: [Vec<Box<dyn Panel>>; 2] = halves(histograms);
    let filters = Images {
        title: format!("Filters of the first {FILTERS} units, black to white from minus to plus"),
        shape: models[0].checkpoint.shape,
        columns: FILTERS,
        rows: filters,
    };
    let largest = norms.iter().flat_map(|(_, norms, _)| norms).copied().fold(0.0, f32::max);
    let mut spread = Histogram::new(
        "How strongly codes answer",
        Vec::new(),
        "Frobenius norm of the Jacobian",
        [0.0, f64::from(largest) * 1.02],
        40,
    );
    spread.series = norms;
    let page = Page::new("Contraction: 1,000 sigmoid units and their transpose")
        .row(vec![Box::new(filters)])
        .row(left)
        .row(right)
        .row(vec![Box::new(spread)]);
    let caption = format!(
        "Four autoencoders of one layer of 1,000 sigmoid units, whose decoder is its transpose, trained alike but for what \
         their names say. Each filter is scaled by itself. Histograms are of all activations on {} validation images; one \
         counts as saturated below {SATURATED} or above {}. The last has the norm of the encoder's Jacobian at each of them.",
        images.len(),
        1.0 - SATURATED
    );
    Ok(Plate { page, caption, models, numbers })
}

fn halves(histograms: Vec<Histogram>) -> [Vec<Box<dyn Panel>>; 2] {
    let mut rows = [Vec::new(), Vec::new()];
    for (number, histogram) in histograms.into_iter().enumerate() {
        let panel: Box<dyn Panel> = Box::new(histogram);
        rows[number / 2 % 2].push(panel);
    }
    rows
}

// The weights of the first units, each as an image: zero is grey, the largest is black or white.
fn rows(model: &Trained) -> Result<Vec<f32>> {
    let pixels: usize = model.checkpoint.shape.iter().product();
    let weight = model.checkpoint.slots.get("encoder.0.weight");
    let weight = weight.filter(|(shape, _)| *shape == [model.latent, pixels]);
    let (_, weight) = weight.ok_or_else(|| {
        let expected = format!("encoder.0.weight [{}, {pixels}]", model.latent);
        Error::shape(format!("filters of {}", model.name), expected, "none of that shape")
    })?;
    let image = |filter: &[f32]| -> Vec<f32> {
        let largest = filter.iter().fold(1e-12_f32, |largest, weight| largest.max(weight.abs()));
        filter.iter().map(|weight| 0.5 + 0.5 * weight / largest).collect()
    };
    Ok(weight.chunks_exact(pixels).take(FILTERS).flat_map(image).collect())
}

fn saturation(model: &Trained, codes: &[f32]) -> Number {
    let saturated =
        codes.iter().filter(|activation| !(SATURATED..=1.0 - SATURATED).contains(*activation)).count();
    let share = 100.0 * saturated as f64 / codes.len().max(1) as f64;
    let what = format!("{}: saturated activations, percent", model.name);
    Number::new(format!("{}.saturated_percent", key(&model.name)), what, share)
}
