//! A linear autoencoder beside principal components, whose subspace it finds (Baldi and Hornik 1989; Murphy, 20.3.1).

use faer::Mat;

use super::reconstructions::first;
use super::{Number, Plate, Studio, Trained};
use crate::data::Dataset;
use crate::report::{Axis, Colour, Images, Page, Panel, Scatter, Series, Subspace};
use crate::train::ScheduleKind;
use crate::{Error, Result};

const SHOWN: usize = 10;
// Behind the sixth the variances of clothes fall by a third, which sets the subspace apart: with less of a gap
// neither method has a subspace to find.
const COMPONENTS: u32 = 6;
// Fast at first and slow in the end, so that the noise of the steps does not turn the subspace.
const LEARNING_RATE: f32 = 3e-3;

pub(super) async fn plate(studio: &mut Studio<'_>) -> Result<Plate> {
    let mut config = studio.settings.preset("linear", 40)?;
    config.model.latent = COMPONENTS;
    config.train.learning_rate = LEARNING_RATE;
    config.train.schedule = ScheduleKind::Cosine;
    let model = studio.model("linear", &config).await?;
    let (latent, pixels) = (model.latent, studio.split.train.pixels());
    studio.tell(super::News::Busy("principal components"))?;
    let pca = Subspace::fit(&studio.split.train.values(), pixels, latent)?;
    let held_out = studio.held_out().clone();
    let by_model = studio.reconstruct(&model, &held_out).await?.images;
    let by_pca = pca.restore(&pca.project(&held_out.values()));
    let [errors_model, errors_pca] = [&by_model, &by_pca].map(|images| errors(images, &held_out));
    let basis = decoder(&model, pixels, latent)?;
    let angles = angles(&basis, &pca.axes)?;
    let numbers = vec![
        Number::new("latent", "numbers in a code", latent as f64),
        Number::new(
            "pca.error_per_pixel",
            "PCA: squared error on the validation images, mean per pixel",
            mean(&errors_pca),
        ),
        Number::new("linear.error_per_pixel", "linear autoencoder: the same", mean(&errors_model)),
        Number::new(
            "linear.excess",
            "linear autoencoder: error above PCA's, percent",
            100.0 * (mean(&errors_model) / mean(&errors_pca) - 1.0),
        ),
        Number::new("mean_angle", "principal angles between the subspaces, mean, degrees", mean(&angles)),
        Number::new(
            "largest_angle",
            "largest principal angle between the subspaces, degrees",
            angles.last().copied().unwrap_or(0.0),
        ),
    ];
    let take = |images: &[f32]| images[..images.len().min(SHOWN * pixels)].to_vec();
    let shape = model.checkpoint.shape;
    let images = Images {
        title: "Reconstructions of validation images".to_owned(),
        shape,
        columns: SHOWN,
        rows: vec![
            ("original".to_owned(), first(&held_out, SHOWN)?.values()),
            ("PCA".to_owned(), take(&by_pca)),
            ("linear autoencoder".to_owned(), take(&by_model)),
        ],
    };
    // What the autoencoder spans, in the directions of the principal components.
    let inside = projected(&pca.axes, &basis);
    let directions = Images {
        title: "Directions, black to white from minus to plus".to_owned(),
        shape,
        columns: latent,
        rows: vec![
            ("PCA".to_owned(), grey(&pca.axes)),
            ("the same, in the other subspace".to_owned(), grey(&inside)),
            ("the decoder's columns".to_owned(), grey(&basis)),
        ],
    };
    let page = Page::new("A linear autoencoder finds the subspace of PCA")
        .row(vec![Box::new(images)])
        .row(vec![Box::new(directions), Box::new(error_plot(&errors_pca, &errors_model))]);
    let caption = format!(
        "A linear autoencoder with {latent} units, without biases, on images less their mean, beside the {latent} leading \
         principal components. Its own columns are no principal components, but they span the same subspace: a component \
         projected on it is itself again, the principal angles are small, and each image is reconstructed alike."
    );
    Ok(Plate { page, caption, models: vec![model], numbers })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

// The mean squared error per pixel of each image.
fn errors(images: &[f32], originals: &Dataset) -> Vec<f64> {
    let pixels = originals.pixels();
    let error = |(image, original): (&[f32], &[u8])| {
        let squares =
            image.iter().zip(original).map(|(a, b)| (f64::from(*a) - f64::from(*b) / 255.0).powi(2));
        squares.sum::<f64>() / pixels as f64
    };
    images.chunks_exact(pixels).zip(originals.images.chunks_exact(pixels)).map(error).collect()
}

// The decoder's weight, `[pixels, latent]`.
fn decoder(model: &Trained, pixels: usize, latent: usize) -> Result<Mat<f64>> {
    let weight = model.checkpoint.slots.get("decoder.0.weight");
    let weight = weight.filter(|(shape, _)| *shape == [pixels, latent]);
    let (_, weight) = weight.ok_or_else(|| {
        Error::shape(
            "linear autoencoder",
            format!("decoder.0.weight [{pixels}, {latent}]"),
            "none of that shape",
        )
    })?;
    Ok(Mat::from_fn(pixels, latent, |row, column| f64::from(weight[row * latent + column])))
}

// Degrees between two subspaces in ascending order, from the cosines: the singular values of the product of
// orthonormal bases (Björck and Golub 1973).
fn angles(left: &Mat<f64>, right: &Mat<f64>) -> Result<Vec<f64>> {
    let [left, right] = [left, right].map(|basis| basis.qr().compute_thin_Q());
    let cosines = (left.transpose() * right).singular_values();
    let cosines = cosines.map_err(|_| Error::setting("principal angles", "finite weights", "others"))?;
    Ok(cosines.into_iter().map(|cosine| cosine.clamp(0.0, 1.0).acos().to_degrees()).collect())
}

// The columns of `axes`, projected on the space of `basis`.
fn projected(axes: &Mat<f64>, basis: &Mat<f64>) -> Mat<f64> {
    let orthonormal = basis.qr().compute_thin_Q();
    &orthonormal * (orthonormal.transpose() * axes)
}

// Columns as images: zero is grey, the largest is black or white.
fn grey(columns: &Mat<f64>) -> Vec<f32> {
    let image = |column: usize| {
        let value = move |row: usize| columns[(row, column)];
        let largest = (0..columns.nrows()).map(|row| value(row).abs()).fold(1e-12, f64::max);
        (0..columns.nrows()).map(move |row| (0.5 + 0.5 * value(row) / largest) as f32)
    };
    (0..columns.ncols()).flat_map(image).collect()
}

fn error_plot(pca: &[f64], model: &[f64]) -> impl Panel + 'static {
    let points: Vec<[f32; 2]> =
        pca.iter().zip(model).map(|(pca, model)| [*pca as f32, *model as f32]).collect();
    let largest = pca.iter().chain(model).copied().fold(0.0, f64::max) * 1.05;
    let axis = |name: &str| Axis::new(name).from_to(0.0, largest);
    Scatter {
        title: "Squared error per pixel of each image".to_owned(),
        axes: [axis("PCA"), axis("linear autoencoder")],
        series: vec![Series { name: String::new(), points, colour: Colour::of_class(0) }],
        aspect: 0.5,
        ..Scatter::default()
    }
}
