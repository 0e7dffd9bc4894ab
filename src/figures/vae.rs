//! The variational autoencoder beside a deterministic one that is trained alike (Murphy, 20.3.5).

use super::reconstructions::{first, key, per_pixel};
use super::tsne::embedding;
use super::{News, Number, Plate, Studio, Trained, distances};
use crate::Result;
use crate::infer::{ImportanceBound, Interpolation, prior_codes, prior_grid};
use crate::report::{Axis, Images, Page, Panel, Scatter};
use crate::train::Config;

const SHOWN: usize = 10;
// Samples on a side of their grid, and codes on a side of the manifold.
const SIDE: usize = 9;
const MANIFOLD: usize = 12;
// Images on the way from one to the other, and ways.
const STEPS: usize = 10;
const WAYS: usize = 3;
// Samples that are compared with data.
const COMPARED: usize = 5_000;
// Samples of each image for the bound.
const SAMPLES: u32 = 50;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let config = studio.settings.preset("vae", 10)?;
    let vae = studio.model("VAE", &config).await?;
    let plain = studio.model("autoencoder", &deterministic(&config)?).await?;
    let flat = studio.settings.preset("vae-2d", 10)?;
    let flat = studio.model("VAE of 2 numbers", &flat).await?;
    let numbers = numbers(studio, &vae, &plain).await?;
    let page = Page::new("A variational autoencoder and a deterministic one, trained alike")
        .row(vec![reconstructions(studio, &[&vae, &plain]).await?])
        .row(vec![samples(studio, &vae).await?, samples(studio, &plain).await?])
        .row(vec![ways(studio, &vae).await?, ways(studio, &plain).await?])
        .row(embeddings(studio, &vae, &plain).await?)
        .row(vec![manifold(studio, &flat).await?, plane(studio, &flat).await?]);
    let caption = format!(
        "Both have the same layers, optimizer, images and seed, and both are used without noise: codes are E[z given x]. \
         The deterministic autoencoder reconstructs better, but nothing tells its decoder what to make of codes that no \
         image has: decoded noise of the prior is no image. Interpolations are straight lines between the codes of two \
         validation images. The manifold is of a VAE whose code has two numbers: the normal distribution's quantiles in \
         even steps. How near samples are to the data: the mean Euclidean distance from a sample to the nearest training \
         image, beside that of validation images. How much of the data they cover: the mean distance from a validation image \
         to the nearest of {COMPARED} samples, beside that to the nearest of as many training images."
    );
    Ok(Plate { page, caption, models: vec![vae, plain, flat], numbers })
}

/// The autoencoder with the same layers and training.
fn deterministic(config: &Config) -> Result<Config> {
    let mut plain =
        Config { train: config.train.clone(), data: config.data.clone(), ..Config::preset("mlp")? };
    plain.model.common = config.model.common.clone();
    Ok(plain)
}

async fn reconstructions(studio: &Studio<'_>, models: &[&Trained]) -> Result<Box<dyn Panel>> {
    let shown = first(studio.held_out(), SHOWN)?;
    let mut rows = vec![("original".to_owned(), shown.values())];
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

async fn manifold(studio: &Studio<'_>, model: &Trained) -> Result<Box<dyn Panel>> {
    let codes = prior_grid(MANIFOLD, model.latent, [0, 1])?;
    let images = studio.decode(model, &codes).await?;
    let title = format!("{}: the images of all codes", model.name);
    Ok(Box::new(Images {
        title,
        shape: model.checkpoint.shape,
        columns: MANIFOLD,
        rows: vec![(String::new(), images)],
    }))
}

// Where the codes of the plane are that have images.
async fn plane(studio: &Studio<'_>, model: &Trained) -> Result<Box<dyn Panel>> {
    let images = studio.held_out();
    let codes = studio.reconstruct(model, images).await?.codes;
    let points = codes.as_chunks::<2>().0;
    let title = format!("{}: codes of validation images", model.name);
    let mut scatter = Scatter::of_classes(title, points, images.labels.as_deref(), &images.classes);
    scatter.axes = ["z0", "z1"].map(Axis::new);
    scatter.equal = true;
    scatter.aspect = 0.8;
    Ok(Box::new(scatter))
}

async fn embeddings(studio: &mut Studio<'_>, vae: &Trained, plain: &Trained) -> Result<Vec<Box<dyn Panel>>> {
    let mut panels: Vec<Box<dyn Panel>> = Vec::new();
    for model in [vae, plain] {
        panels.push(Box::new(embedding(studio, model, false).await?));
    }
    Ok(panels)
}

async fn numbers(studio: &mut Studio<'_>, vae: &Trained, plain: &Trained) -> Result<Vec<Number>> {
    let mut numbers = vec![per_pixel(vae), per_pixel(plain)];
    numbers.push(Number::new(
        "vae.kl",
        "VAE: KL to the prior on the validation images, nats per image",
        vae.means.get("kl").unwrap_or(f64::NAN),
    ));
    if let Some(elbo) = vae.means.elbo() {
        numbers.push(Number::new("vae.elbo", "VAE: ELBO on the validation images, nats per image", elbo));
    }
    studio.tell(News::Busy("the importance-weighted bound"))?;
    let judged = first(studio.held_out(), COMPARED)?;
    let bound = ImportanceBound::estimate(studio.device, &vae.checkpoint, &judged, SAMPLES).await?;
    let what = format!("VAE: importance-weighted bound with {SAMPLES} samples, nats per image");
    numbers.push(Number::new("vae.importance_bound", what, bound.mean()));
    studio.tell(News::Busy("nearest neighbours of samples"))?;
    let pixels = studio.split.train.pixels();
    let train = studio.split.train.values();
    let count = COMPARED.min(studio.split.train.len());
    let held_out = first(studio.held_out(), count)?.values();
    let mean = |from: &[f32], to: &[f32]| {
        let all = distances(from, to, pixels, 1);
        all.iter().map(|distance| f64::from(*distance)).sum::<f64>() / all.len().max(1) as f64
    };
    let mut compare = |name: &str, what: &str, images: &[f32], others: &[f32], of: &str| {
        let near = format!("{what}: mean distance to the nearest training image");
        numbers.push(Number::new(format!("{name}.to_training"), near, mean(images, &train)));
        let cover = format!("{of}: mean distance from a validation image to the nearest");
        numbers.push(Number::new(format!("{name}.from_validation"), cover, mean(&held_out, others)));
    };
    let known = format!("{count} training images");
    compare("data", "validation images", &held_out, &train[..count * pixels], &known);
    for model in [vae, plain] {
        let images = drawn(studio, model, count).await?;
        let what = format!("{}, decoded noise", model.name);
        compare(
            &format!("{}.samples", key(&model.name)),
            &what,
            &images,
            &images,
            &format!("{what}, {count} images"),
        );
    }
    Ok(numbers)
}
