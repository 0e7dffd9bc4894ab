//! Points of the plane, and the score of their density as a denoising autoencoder learns it.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod tiny;

use narrows::Result;
use narrows::data::points::{Shape2d, coordinates, grid};
use narrows::data::{self, Component, GaussianMixture, Source};
use narrows::infer::ScoreField;
use narrows::train::{Config, Trainer};
use pollster::block_on;
use tiny::device;

#[test]
fn points_are_the_same_on_every_machine_and_inside_the_square() {
    let sources = [Source::Spiral, Source::Moons, Source::Mixture];
    let checksums = sources.map(|source| {
        let split = data::load(source, None, None).unwrap();
        let lengths = [split.train.len(), split.validation.len(), split.test.len()];
        assert_eq!(lengths, [9_000, 1_000, 1_000], "{source}");
        assert_eq!(split.train.name, source.to_string());
        assert!(split.train.bytes().iter().all(|byte| (1..255).contains(byte)), "{source} leaves the square");
        assert_ne!(split.train.slice(0..1_000).unwrap().values, split.test.values, "{source}");
        split.train.values.checksum()
    });
    assert_eq!(checksums, [0xb75b_1d62, 0xe001_79c3, 0xc8f0_bb7e], "{checksums:#010x?}");
}

// Where a point of the unit square was drawn, by the map that the module states.
fn unplaced(shape: Shape2d, [u0, v0, width]: [f64; 3]) -> Vec<[f64; 2]> {
    let points = coordinates(&shape.dataset(3_000, 0).unwrap());
    points.into_iter().map(|[x, y]| [u0 + width * (x - 0.5), v0 + width * (y - 0.5)]).collect()
}

#[test]
fn moons_and_spiral_lie_along_their_curves() {
    let labels = Shape2d::Moons.dataset(3_000, 0).unwrap().labels.unwrap();
    for ([u, v], label) in unplaced(Shape2d::Moons, [0.5, 0.25, 4.0]).into_iter().zip(&labels) {
        let (u, v) = if *label == 0 { (u, v) } else { (1.0 - u, 0.5 - v) };
        // Five deviations of 0.08, and a byte's rounding.
        assert!((u.hypot(v) - 1.0).abs() < 0.42 && v > -0.42, "{u}, {v}");
    }
    let second = labels.iter().filter(|label| **label == 1).count();
    assert!((1_350..1_650).contains(&second), "{second} of 3000");
    for [u, v] in unplaced(Shape2d::Spiral, [0.0, 0.0, 2.5]) {
        let nearest = (0..=800).map(|i| 0.2 + 0.001 * f64::from(i)).map(|t| {
            let angle = 3.5 * std::f64::consts::PI * t;
            (u - t * angle.cos()).hypot(v - t * angle.sin())
        });
        assert!(nearest.fold(f64::MAX, f64::min) < 0.11, "{u}, {v}");
    }
}

#[test]
fn the_mixtures_points_have_its_weights_means_and_covariances() {
    let data = Shape2d::Mixture.dataset(10_000, 0).unwrap();
    let (points, labels) = (coordinates(&data), data.labels.unwrap());
    for (number, component) in (0..).zip(GaussianMixture::three().components) {
        let Component { weight, mean, covariance } = component;
        let own = points.iter().zip(&labels).filter(|(_, label)| **label == number).map(|(point, _)| *point);
        let own: Vec<[f64; 2]> = own.collect();
        let n = own.len() as f64;
        assert!((n / 10_000.0 - weight).abs() < 0.02, "weight {weight}, got {n}");
        let got = [0, 1].map(|axis| own.iter().map(|point| point[axis]).sum::<f64>() / n);
        for (i, j) in [(0, 0), (0, 1), (1, 1)] {
            let spread = own.iter().map(|point| (point[i] - got[i]) * (point[j] - got[j])).sum::<f64>() / n;
            assert!((spread - covariance[i][j]).abs() < 5e-4, "{number}: {covariance:?}, got {spread}");
            assert!((got[i] - mean[i]).abs() < 5e-3, "{number}: {mean:?}, got {got:?}");
        }
    }
}

#[test]
fn a_grid_covers_the_square_evenly_from_below() {
    let points = coordinates(&grid(5).unwrap());
    assert_eq!(points.len(), 25);
    for (at, [x, y]) in points.into_iter().enumerate() {
        let [expected_x, expected_y] = [at % 5, at / 5].map(|step| 0.1 + 0.2 * step as f64);
        assert!((x - expected_x).abs() < 0.002 && (y - expected_y).abs() < 0.002, "{at}: {x}, {y}");
    }
}

#[test]
fn the_cosine_is_that_of_the_arrows() {
    let truth = vec![[1.0, 0.0], [0.0, 2.0], [1.0, 1.0], [3.0, 0.0]];
    let residuals = vec![[0.1, 0.0], [0.0, -5.0], [1.0, 0.0], [0.0, 0.0]];
    let field = ScoreField { points: vec![[0.5; 2]; 4], residuals, truth: Some(truth) };
    let expected = (1.0 - 1.0 + 0.5_f64.sqrt() + 0.0) / 4.0;
    assert!((field.mean_cosine().unwrap() - expected).abs() < 1e-12);
    assert_eq!(ScoreField { truth: None, ..field }.mean_cosine(), None);
}

// As far as it takes to see it, in some seconds.
const EPOCHS: u32 = 20;

/// Vincent 2011: the residual of the best denoiser is s² times the score of the smoothed density.
#[test]
fn a_denoising_autoencoder_points_up_the_density() -> Result<()> {
    let mut config = Config::preset("score")?;
    config.train.epochs = EPOCHS;
    let split = config.data.load()?;
    let mut trainer = block_on(Trainer::new(device(), &config, &split))?;
    while trainer.epochs_done() < EPOCHS {
        block_on(trainer.epoch(&mut |_| true))?;
    }
    let checkpoint = block_on(trainer.checkpoint())?;
    let deviation = f64::from(config.model.corruption_amount());
    let at_data = block_on(ScoreField::new(device(), &checkpoint, &split.test))?;
    let at_data = at_data.with_truth(&GaussianMixture::three(), deviation);
    let cosine = at_data.mean_cosine().unwrap();
    println!("mean cosine {cosine:.4}");
    assert!(cosine > 0.95, "mean cosine {cosine}");
    // Not the direction alone: the lengths too are s² times the score's.
    let truth = at_data.truth.as_ref().unwrap();
    let square = |a: &[f64; 2]| a[0] * a[0] + a[1] * a[1];
    let error: f64 =
        at_data.residuals.iter().zip(truth).map(|(a, b)| square(&[a[0] - b[0], a[1] - b[1]])).sum();
    let all: f64 = truth.iter().map(square).sum();
    assert!(error < 0.1 * all, "squared error {error} of {all}");
    Ok(())
}

#[test]
fn a_score_field_is_of_points() {
    let trained = block_on(Trainer::new(device(), &tiny::config("denoising"), &tiny::split())).unwrap();
    let checkpoint = block_on(trained.checkpoint()).unwrap();
    let refused = block_on(ScoreField::new(device(), &checkpoint, &tiny::dataset(3))).unwrap_err();
    assert_eq!(refused.to_string(), "score field: expected images of 2 pixels, got 35");
}
