//! A linear autoencoder beside principal components, whose subspace it finds (Baldi and Hornik 1989; Murphy, 20.3.1).

use faer::Mat;

use super::{Event, FigureContext, FigureOutput, Number, grey, mean};
use crate::data::Dataset;
use crate::report::{Axis, Colour, Images, Mark, Pca, Plot, Series};
use crate::train::ScheduleKind;
use crate::{Error, Result};

const SHOWN: usize = 10;
// Behind the sixth the variances of clothes fall by a third, which sets the subspace apart: with less of a gap
// neither method has a subspace to find.
const COMPONENTS: u32 = 6;
// Fast at first and slow in the end, so that the noise of the steps does not turn the subspace.
const LEARNING_RATE: f32 = 3e-3;

pub(super) async fn make(context: &mut FigureContext<'_>) -> Result<FigureOutput> {
    let mut output = FigureOutput::new("A linear autoencoder finds the subspace of PCA");
    let mut config = context.settings.preset("linear", 40)?;
    config.model.latent = COMPONENTS;
    config.train.learning_rate = LEARNING_RATE;
    config.train.schedule = ScheduleKind::Cosine;
    let model = context.model("linear", &config).await?;
    let (latent, pixels) = (model.latent, context.split.train.pixels());
    if pixels < latent {
        let expected = format!("images of {latent} or more numbers");
        return Err(Error::shape("PCA", expected, format!("images of {pixels} numbers")));
    }
    context.tell(Event::Busy("principal components"))?;
    let pca = Pca::fit(&context.split.train.floats(), pixels, latent)?;
    let held_out = context.held_out().clone();
    let by_model = context.reconstruct(&model, &held_out).await?.images;
    let by_pca = pca.restore(&pca.project(&held_out.floats())?);
    let [errors_model, errors_pca] = [&by_model, &by_pca].map(|images| errors(images, &held_out));
    let weight = model.weight("decoder.0.weight", [pixels, latent])?;
    let basis = Mat::from_fn(pixels, latent, |row, column| f64::from(weight[row * latent + column]));
    let angles = angles(&basis, &pca.axes)?;
    let [mean_model, mean_pca] = [&errors_model, &errors_pca].map(|errors| mean(errors.iter().copied()));
    let excess = 100.0 * (mean_model / mean_pca - 1.0);
    let (mean_angle, largest_angle) = (mean(angles.iter().copied()), angles.last().copied().unwrap_or(0.0));
    let numbers = [
        ("latent", "numbers in a code", latent as f64),
        ("pca.error_per_pixel", "PCA: squared error on the validation images, mean per pixel", mean_pca),
        ("linear.error_per_pixel", "linear autoencoder: the same", mean_model),
        ("linear.excess", "linear autoencoder: error above PCA's, percent", excess),
        ("mean_angle", "principal angles between the subspaces, mean, degrees", mean_angle),
        ("largest_angle", "largest principal angle between the subspaces, degrees", largest_angle),
    ];
    output.numbers = numbers.map(|(name, what, value)| Number::new(name, what, value)).into();
    let take = |images: &[f32]| images[..images.len().min(SHOWN * pixels)].to_vec();
    let shape = model.checkpoint.shape;
    let rows = [
        ("original", take(&held_out.floats())),
        ("PCA", take(&by_pca)),
        ("linear autoencoder", take(&by_model)),
    ];
    let images = Images::new("Reconstructions of validation images", shape, SHOWN, rows);
    output.page.row(vec![Box::new(images)]);
    let rows = [
        ("PCA", columns(&pca.axes)),
        // What the autoencoder spans, in the directions of the principal components.
        ("the same, in the other subspace", columns(&projected(&pca.axes, &basis))),
        ("the decoder's columns", columns(&basis)),
    ];
    let directions = Images::new("Directions, black to white from minus to plus", shape, latent, rows);
    output.page.row(vec![Box::new(directions), Box::new(error_plot(&errors_pca, &errors_model))]);
    output.caption = format!(
        "A linear autoencoder with {latent} units and no biases, trained on mean-centred images, and the {latent} leading \
         principal components. Its columns are not principal components, but they span the same subspace: a component \
         projected onto it does not change, the principal angles are small, and the reconstructions are the same."
    );
    output.models.push(model);
    Ok(output)
}

// The mean squared error per pixel of each image.
fn errors(images: &[f32], originals: &Dataset) -> Vec<f64> {
    let pixels = originals.pixels();
    let error = |(image, original): (&[f32], &[f32])| {
        let squares = image.iter().zip(original).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2));
        squares.sum::<f64>() / pixels as f64
    };
    images.chunks_exact(pixels).zip(originals.floats().chunks_exact(pixels)).map(error).collect()
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

// Columns as images.
fn columns(matrix: &Mat<f64>) -> Vec<f32> {
    let image = |column: usize| grey((0..matrix.nrows()).map(move |row| matrix[(row, column)]));
    (0..matrix.ncols()).flat_map(image).collect()
}

fn error_plot(pca: &[f64], model: &[f64]) -> Plot {
    let points = pca.iter().zip(model).map(|(pca, model)| [*pca, *model]).collect();
    let largest = pca.iter().chain(model).copied().fold(0.0, f64::max) * 1.05;
    let axis = |name: &str| Axis::new(name).from_to(0.0, largest);
    Plot {
        title: "Squared error per pixel of each image".to_owned(),
        axes: [axis("PCA"), axis("linear autoencoder")],
        series: vec![Series { name: String::new(), points, colour: Colour::of_class(0), mark: Mark::Dots }],
        aspect: Some(0.5),
        ..Plot::default()
    }
}
