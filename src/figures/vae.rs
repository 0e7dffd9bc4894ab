//! The variational autoencoder beside a deterministic one that is trained alike (Murphy, 20.3.5).

use super::reconstructions::{first, key, per_pixel, values};
use super::{Number, Plate, Studio, Trained, distances};
use crate::Result;
use crate::report::{Images, Page, Panel};
use crate::train::{Config, Interpolation, prior_codes};

const SHOWN: usize = 10;
// Samples on a side of their grid, and codes on a side of the manifold.
const SIDE: usize = 9;
const MANIFOLD: usize = 14;
// Images on the way from one to the other, and ways.
const STEPS: usize = 10;
const WAYS: usize = 3;
// Samples that are compared with data, and the neighbours that make an image's surroundings.
const COMPARED: usize = 2_000;
const NEIGHBOURS: usize = 3;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let config = studio.settings.preset("vae", 10)?;
    let vae = studio.model("VAE", &config).await?;
    let plain = studio.model("autoencoder", &deterministic(&config)).await?;
    let flat = studio.settings.preset("vae-2d", 10)?;
    let flat = studio.model("VAE of 2 numbers", &flat).await?;
    let numbers = numbers(studio, &vae, &plain).await?;
    let page = Page::new("A variational autoencoder and a deterministic one, trained alike")
        .row(vec![reconstructions(studio, &[&vae, &plain]).await?])
        .row(vec![samples(studio, &vae).await?, samples(studio, &plain).await?])
        .row(vec![ways(studio, &vae).await?, ways(studio, &plain).await?])
        .row(vec![manifold(studio, &flat).await?]);
    let caption = format!(
        "Both have the same layers, optimizer, images and seed, and both are used without noise: codes are E[z given x]. \
         The deterministic autoencoder reconstructs better, but nothing tells its decoder what to make of codes that no \
         image has: decoded noise of the prior is no image. Interpolations are straight lines between the codes of two \
         validation images. The manifold is of a VAE whose code has two numbers: the normal distribution's quantiles in \
         even steps. Nearness to the data: the mean Euclidean distance to the nearest training image; precision, the \
         share of {COMPARED} samples that are within the distance of a training image to its neighbour number {NEIGHBOURS}; \
         recall, the share of as many training images that are so near to a sample (Kynkäänniemi et al. 2019, on pixels)."
    );
    Ok(Plate { page, caption, models: vec![vae, plain, flat], numbers })
}

/// The autoencoder with the same layers and training.
fn deterministic(config: &Config) -> Config {
    let mut config = config.clone();
    "mlp".clone_into(&mut config.preset);
    "mlp".clone_into(&mut config.model.variant);
    config
}

async fn reconstructions(studio: &Studio<'_>, models: &[&Trained]) -> Result<Box<dyn Panel>> {
    let shown = first(studio.held_out(), SHOWN)?;
    let mut rows = vec![("original".to_owned(), values(&shown))];
    for model in models {
        rows.push((model.name.clone(), studio.reconstruct(model, &shown).await?.images));
    }
    let title = "Reconstructions of validation images".to_owned();
    Ok(Box::new(Images { title, shape: models[0].checkpoint.shape, columns: SHOWN, rows }))
}

async fn samples(studio: &Studio<'_>, model: &Trained) -> Result<Box<dyn Panel>> {
    let images = drawn(studio, model, SIDE * SIDE).await?;
    let title = format!("{}: decoded noise of the prior", model.name);
    Ok(Box::new(Images {
        title,
        shape: model.checkpoint.shape,
        columns: SIDE,
        rows: vec![(String::new(), images)],
    }))
}

async fn drawn(studio: &Studio<'_>, model: &Trained, count: usize) -> Result<Vec<f32>> {
    studio.decode(model, &prior_codes(studio.settings.seed, count, model.latent)).await
}

async fn ways(studio: &Studio<'_>, model: &Trained) -> Result<Box<dyn Panel>> {
    let latent = model.latent;
    let ends = first(studio.held_out(), 2 * WAYS)?;
    let codes = studio.reconstruct(model, &ends).await?.codes;
    let way = |pair: &[f32]| {
        let (from, to) = pair.split_at(latent);
        Interpolation::Linear.codes(from, to, STEPS)
    };
    let codes: Vec<f32> = codes.chunks_exact(2 * latent).flat_map(way).collect();
    let images = studio.decode(model, &codes).await?;
    let title = format!("{}: from one image to another", model.name);
    Ok(Box::new(Images {
        title,
        shape: model.checkpoint.shape,
        columns: STEPS,
        rows: vec![(String::new(), images)],
    }))
}

// Codes at quantiles in even steps, so that each image stands for as much of the prior.
async fn manifold(studio: &Studio<'_>, model: &Trained) -> Result<Box<dyn Panel>> {
    let at = |step: usize| quantile((step as f64 + 0.5) / MANIFOLD as f64) as f32;
    // The second number grows upwards.
    let codes = (0..MANIFOLD * MANIFOLD).flat_map(|cell| [at(cell % MANIFOLD), -at(cell / MANIFOLD)]);
    let codes: Vec<f32> = codes.collect();
    let images = studio.decode(model, &codes).await?;
    let title = format!("{}: the images of all codes", model.name);
    Ok(Box::new(Images {
        title,
        shape: model.checkpoint.shape,
        columns: MANIFOLD,
        rows: vec![(String::new(), images)],
    }))
}

// Of the standard normal, by bisection of its distribution function.
fn quantile(share: f64) -> f64 {
    let (mut low, mut high) = (-8.0, 8.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        let below = 0.5 * (1.0 + libm::erf(middle / std::f64::consts::SQRT_2));
        if below < share { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

async fn numbers(studio: &mut Studio<'_>, vae: &Trained, plain: &Trained) -> Result<Vec<Number>> {
    studio.tell(super::News::Busy("nearest neighbours of samples"))?;
    let mut numbers = vec![per_pixel(vae), per_pixel(plain)];
    numbers.push(Number::new(
        "vae.kl",
        "VAE: KL to the prior on the validation images, nats per image",
        vae.losses.penalty,
    ));
    if let Some(elbo) = vae.losses.elbo(&vae.checkpoint.model()?) {
        numbers.push(Number::new("vae.elbo", "VAE: ELBO on the validation images, nats per image", elbo));
    }
    let pixels = studio.split.train.pixels();
    let train = values(&studio.split.train);
    let near = |images: &[f32]| {
        let all = distances(images, &train, pixels, 1);
        all.iter().map(|distance| f64::from(*distance)).sum::<f64>() / all.len().max(1) as f64
    };
    let count = COMPARED.min(studio.split.train.len());
    let known = &train[..count * pixels];
    let held_out = values(&first(studio.held_out(), count)?);
    let mut compare = |name: &str, what: &str, images: &[f32]| {
        let [precision, recall] = precision_and_recall(images, known, pixels);
        numbers.push(Number::new(
            format!("{name}.distance"),
            format!("{what}: distance to the nearest training image"),
            near(images),
        ));
        numbers.push(Number::new(
            format!("{name}.precision"),
            format!("{what}: precision, percent"),
            100.0 * precision,
        ));
        numbers.push(Number::new(
            format!("{name}.recall"),
            format!("{what}: recall, percent"),
            100.0 * recall,
        ));
    };
    compare("held_out", "validation images", &held_out);
    for model in [vae, plain] {
        let images = drawn(studio, model, count).await?;
        compare(&format!("{}.samples", key(&model.name)), &format!("{}, decoded noise", model.name), &images);
    }
    Ok(numbers)
}

// Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models", equation 1, with
// pixels in the place of features.
fn precision_and_recall(images: &[f32], known: &[f32], pixels: usize) -> [f64; 2] {
    [covered(images, known, pixels), covered(known, images, pixels)]
}

// The share of `points` within the surroundings of one of `centres` or more.
fn covered(points: &[f32], centres: &[f32], pixels: usize) -> f64 {
    // Each is its own nearest.
    let radii = distances(centres, centres, pixels, NEIGHBOURS + 1);
    let radii: Vec<f32> = radii.chunks(NEIGHBOURS + 1).filter_map(|near| near.last().copied()).collect();
    let inside = super::nearest::within(points, centres, &radii, pixels);
    inside as f64 / (points.len() / pixels).max(1) as f64
}
