//! A linear autoencoder finds PCA's subspace: compared with a library's eigendecomposition.
//!
//! With the squared error and no bias its minimum is the projection on the leading principal components,
//! up to a change of basis, and every other critical point is a saddle (Baldi and Hornik 1989).
#![allow(clippy::panic, clippy::print_stdout, clippy::unwrap_used, missing_docs)]

mod common;

use common::device;
use faer::{Mat, Side};
use narrows::data::{self, Dataset, Source, Split};
use narrows::train::{Config, Evaluator, Trainer, Transform};

const IMAGES: usize = 2000;
// Behind the sixth the eigenvalues fall by a third, which sets the subspace apart.
const COMPONENTS: usize = 6;
// Eight steps each, over which the preset's learning rate falls to zero.
const EPOCHS: u32 = 94;

// The images less their mean, `[images, pixels]`, in f64, and the mean.
fn centred(data: &Dataset) -> (Mat<f64>, Vec<f32>) {
    let pixels = data.pixels();
    let pixel = |row: usize, column: usize| f64::from(data.bytes()[row * pixels + column]) / 255.0;
    let mean: Vec<f64> = (0..pixels)
        .map(|column| (0..IMAGES).map(|row| pixel(row, column)).sum::<f64>() / IMAGES as f64)
        .collect();
    let x = Mat::from_fn(IMAGES, pixels, |row, column| pixel(row, column) - mean[column]);
    (x, mean.iter().map(|value| *value as f32).collect())
}

struct Pca {
    // Squared error per pixel of the best reconstruction from COMPONENTS numbers.
    error: f64,
    // The leading principal components, `[pixels, COMPONENTS]`.
    basis: Mat<f64>,
}

fn pca(x: &Mat<f64>) -> Pca {
    let pixels = x.ncols();
    let covariance = (x.transpose() * x) * faer::Scale(1.0 / IMAGES as f64);
    let eigen = covariance.self_adjoint_eigen(Side::Lower).unwrap();
    // In ascending order.
    let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
    let lost: f64 = values[..pixels - COMPONENTS].iter().sum();
    let basis = eigen.U().subcols(pixels - COMPONENTS, COMPONENTS).to_owned();
    Pca { error: lost / pixels as f64, basis }
}

// Degrees between the column spaces of two matrices, the largest of the principal angles: the cosines are
// the singular values of the product of orthonormal bases (Björck and Golub 1973).
fn largest_angle(left: &Mat<f64>, right: &Mat<f64>) -> f64 {
    let [left, right] = [left, right].map(|basis| basis.qr().compute_thin_Q());
    let cosines = (left.transpose() * right).singular_values().unwrap();
    let least = cosines.into_iter().fold(1.0, f64::min);
    least.acos().to_degrees()
}

#[test]
fn a_linear_autoencoder_reaches_the_error_and_the_subspace_of_pca() {
    let split = data::load(Source::Sample, None, Some(0)).unwrap();
    let data = split.train.slice(0..IMAGES).unwrap();
    let pixels = data.pixels();
    let (x, mean) = centred(&data);
    let pca = pca(&x);

    let mut config = Config::preset("linear").unwrap();
    config.model.latent = COMPONENTS as u32;
    config.train.batch = 250;
    config.train.epochs = EPOCHS;
    let split = Split::new(data.clone(), split.test, Some(0)).unwrap();
    let (error, decoder) = pollster::block_on(async {
        let mut trainer = Trainer::new(&device(), &config, &split).await?;
        for _ in 0..EPOCHS {
            trainer.epoch(&mut |_| true).await?;
        }
        let transform = Transform { center: Some(mean.clone()), ..Transform::default() };
        let mut evaluator = Evaluator::new(&device(), trainer.model(), &data, &transform, 0).await?;
        let means = evaluator.evaluate(trainer.replay()).await?;
        let slots = trainer.checkpoint().await?.slots;
        let (_, decoder) = slots.get("decoder.0.weight").unwrap();
        let weight = |row: usize, column: usize| f64::from(decoder[row * COMPONENTS + column]);
        let decoder = Mat::from_fn(pixels, COMPONENTS, weight);
        Ok::<_, narrows::Error>((means.get("reconstruction").unwrap() / pixels as f64, decoder))
    })
    .unwrap();

    let excess = error / pca.error - 1.0;
    let angle = largest_angle(&decoder, &pca.basis);
    println!("squared error per pixel {error:.6}, PCA {:.6} ({excess:+.2e}); {angle:.2} degrees", pca.error);
    assert!(excess < 0.01, "squared error per pixel {error}, PCA's {}", pca.error);
    assert!(excess > -1e-5, "nothing linear is better than PCA: {error}, PCA's {}", pca.error);
    assert!(angle < 2.0, "{angle} degrees from PCA's subspace");
}

#[test]
fn angles_are_those_of_known_subspaces() {
    let plane = |angle: f64| {
        let (sin, cos) = angle.to_radians().sin_cos();
        // The first axis, and the second turned towards the third.
        Mat::from_fn(3, 2, |row, column| [[2.0, 0.0], [0.0, cos], [0.0, sin]][row][column])
    };
    for angle in [0.0, 1.0, 30.0, 90.0] {
        let got = largest_angle(&plane(0.0), &plane(angle));
        assert!((got - angle).abs() < 1e-5, "{got}, expected {angle}");
    }
}
