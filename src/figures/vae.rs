//! The variational autoencoder beside a deterministic one that is trained alike (Murphy, 20.3.5).

use super::reconstructions::images;
use super::tsne::embedding;
use super::{Event, FigureContext, FigureOutput, Number, Trained, mean, nearest_distances};
use crate::Result;
use crate::infer::{ImportanceBound, Interpolation, prior_codes, prior_grid};
use crate::report::{Axis, Images, Plot};
use crate::train::Config;

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

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("A variational autoencoder and a deterministic one, trained alike");
    let config = context.settings.preset("vae", 10)?;
    let vae = context.model("VAE", &config).await?;
    let plain = context.model("autoencoder", &deterministic(&config)?).await?;
    let flat = context.preset("VAE of 2 numbers", "vae-2d", 10).await?;
    output.numbers = losses(context, &vae, &plain).await?;
    output.numbers.extend(nearness(context, &[&vae, &plain]).await?);
    let title = "Reconstructions of validation images";
    output.page.row(vec![Box::new(images(context, title, &[&vae, &plain]).await?)]);
    let page = &mut output.page;
    page.row(vec![Box::new(samples(context, &vae).await?), Box::new(samples(context, &plain).await?)]);
    page.row(vec![Box::new(ways(context, &vae).await?), Box::new(ways(context, &plain).await?)]);
    let codes = embedding(context, &vae, false).await?;
    page.row(vec![Box::new(codes), Box::new(embedding(context, &plain, false).await?)]);
    page.row(vec![Box::new(manifold(context, &flat).await?), Box::new(plane(context, &flat).await?)]);
    output.caption = format!(
        "Both models have the same layers, optimizer, images and seed, and both are used without noise: codes are E[z given x]. \
         The deterministic autoencoder reconstructs better, but its decoder was never trained on codes that belong to no \
         image: codes drawn from the prior do not decode to images. Interpolations are straight lines between the codes of \
         two validation images. The manifold is that of a VAE with a 2-D code, at evenly spaced quantiles of the normal \
         distribution. How near samples are to the data: the mean Euclidean distance from a sample to the nearest training \
         image, and the same for validation images. How much of the data they cover: the mean distance from a validation \
         image to the nearest of {COMPARED} samples, and to the nearest of as many training images."
    );
    output.models = vec![vae, plain, flat];
    Ok(output)
}

/// The autoencoder with the same layers and training.
fn deterministic(config: &Config) -> Result<Config> {
    let mut plain =
        Config { train: config.train.clone(), data: config.data.clone(), ..Config::preset("mlp")? };
    plain.model.common = config.model.common.clone();
    Ok(plain)
}

async fn samples(context: &FigureContext<'_>, model: &Trained) -> Result<Images> {
    let images = drawn(context, model, SIDE * SIDE).await?;
    let title = format!("{}: decoded noise of the prior", model.name);
    Ok(Images::new(&title, model.checkpoint.shape, SIDE, [("", images)]))
}

async fn drawn(context: &FigureContext<'_>, model: &Trained, count: usize) -> Result<Vec<f32>> {
    context.decode(model, &prior_codes(context.settings.seed, count, model.latent)).await
}

async fn ways(context: &FigureContext<'_>, model: &Trained) -> Result<Images> {
    let latent = model.latent;
    let ends = context.held_out().first(2 * WAYS)?;
    let codes = context.reconstruct(model, &ends).await?.codes;
    let way = |pair: &[f32]| {
        let (from, to) = pair.split_at(latent);
        Interpolation::Linear.codes(from, to, STEPS)
    };
    let codes: Vec<f32> = codes.chunks_exact(2 * latent).flat_map(way).collect();
    let images = context.decode(model, &codes).await?;
    let title = format!("{}: from one image to another", model.name);
    Ok(Images::new(&title, model.checkpoint.shape, STEPS, [("", images)]))
}

async fn manifold(context: &FigureContext<'_>, model: &Trained) -> Result<Images> {
    let images = context.decode(model, &prior_grid(MANIFOLD, model.latent, [0, 1])?).await?;
    let title = format!("{}: the images of all codes", model.name);
    Ok(Images::new(&title, model.checkpoint.shape, MANIFOLD, [("", images)]))
}

// Where the codes of the plane are that have images.
async fn plane(context: &FigureContext<'_>, model: &Trained) -> Result<Plot> {
    let images = context.held_out();
    let codes = context.reconstruct(model, images).await?.codes;
    let title = format!("{}: codes of validation images", model.name);
    let plot = Plot::of_images(title, &codes, images, None);
    Ok(Plot { axes: ["z0", "z1"].map(Axis::new), equal: true, aspect: Some(0.8), ..plot })
}

async fn losses(context: &mut FigureContext<'_>, vae: &Trained, plain: &Trained) -> Result<Vec<Number>> {
    let kl = vae.means.get("kl").unwrap_or(f64::NAN);
    let elbo = vae.means.elbo();
    let elbo = elbo.map(|elbo| vae.number("elbo", "ELBO on the validation images, nats per image", elbo));
    let mut numbers = vec![
        vae.per_pixel(),
        plain.per_pixel(),
        vae.number("kl", "KL to the prior on the validation images, nats per image", kl),
    ];
    numbers.extend(elbo);
    context.tell(Event::Busy("the importance-weighted bound"))?;
    let judged = context.held_out().first(COMPARED)?;
    let bound = ImportanceBound::estimate(context.device, &vae.checkpoint, &judged, SAMPLES).await?;
    let what = format!("importance-weighted bound with {SAMPLES} samples, nats per image");
    numbers.push(vae.number("importance_bound", &what, bound.mean()));
    Ok(numbers)
}

// How near samples are to the data, and how much of the data they cover.
async fn nearness(context: &mut FigureContext<'_>, models: &[&Trained]) -> Result<Vec<Number>> {
    context.tell(Event::Busy("nearest neighbours of samples"))?;
    let pixels = context.split.train.pixels();
    let train = context.split.train.floats();
    let count = COMPARED.min(context.split.train.len());
    let held_out = context.held_out().first(count)?.floats();
    let distance = |from: &[f32], to: &[f32]| {
        mean(nearest_distances(from, to, pixels).iter().map(|distance| f64::from(*distance)))
    };
    let what = |from: &str, to: &str| format!("mean distance from {from} to the nearest {to}");
    let (held_out_image, training) = ("a validation image", format!("of {count} training images"));
    let mut numbers = vec![
        Number::new("data.to_training", what(held_out_image, "training image"), distance(&held_out, &train)),
        Number::new(
            "data.from_validation",
            what(held_out_image, &training),
            distance(&held_out, &train[..count * pixels]),
        ),
    ];
    for model in models {
        let images = drawn(context, model, count).await?;
        let near = what("decoded noise", "training image");
        let cover = what(held_out_image, &format!("of {count} images of decoded noise"));
        numbers.extend([
            model.number("samples.to_training", &near, distance(&images, &train)),
            model.number("samples.from_validation", &cover, distance(&held_out, &images)),
        ]);
    }
    Ok(numbers)
}
