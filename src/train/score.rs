//! What a denoising autoencoder learned of the data's density: `r(x) - x`, held against s² times the score.
//!
//! Of all functions, `E[x given seen]` has the least squared error under Gaussian noise of deviation s, and
//! `E[x given seen] - seen = s² grad log p_s(seen)` with p_s the data's density convolved with the noise (Vincent
//! 2011, "A connection between score matching and denoising autoencoders"; Alain and Bengio 2014, "What regularized
//! auto-encoders learn from the data-generating distribution", theorem 2 for s towards 0).

use super::{Checkpoint, Config, EpochReport, Reconstructor, Trainer};
use crate::data::points::{Shape2d, coordinates, grid};
use crate::data::{Dataset, GaussianMixture, Source};
use crate::graph::Device;
use crate::{Error, Result};

/// Arrows at points of the plane, all in the coordinates of the unit square.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreField {
    /// Where they start: the points x that the model was given.
    pub points: Vec<[f64; 2]>,
    /// `r(x) - x`
    pub residuals: Vec<[f64; 2]>,
    /// `s² grad log p_s(x)`, where the density is known.
    pub truth: Option<Vec<[f64; 2]>>,
}

impl ScoreField {
    /// The residuals of a trained model at `points`, images of two pixels.
    ///
    /// # Errors
    /// [`Error::Shape`] where the model or the images have another size, and what running can fail with.
    pub async fn new(device: &Device, trained: &Checkpoint, points: &Dataset) -> Result<Self> {
        if points.pixels() != 2 {
            return Err(Error::shape("score field", "images of 2 pixels", points.pixels()));
        }
        let results = Reconstructor::new(device, trained, points).await?.run().await?;
        let points = coordinates(points);
        let arrow = |(point, image): (&[f64; 2], &[f32])| {
            [f64::from(image[0]) - point[0], f64::from(image[1]) - point[1]]
        };
        let residuals = points.iter().zip(results.images.chunks_exact(2)).map(arrow).collect();
        Ok(Self { points, residuals, truth: None })
    }

    /// Sets the truth to that of `mixture` under noise of this deviation.
    pub fn with_truth(mut self, mixture: &GaussianMixture, deviation: f64) -> Self {
        let arrow = |point: &[f64; 2]| mixture.score(*point, deviation).map(|s| deviation * deviation * s);
        self.truth = Some(self.points.iter().map(arrow).collect());
        self
    }

    /// The mean over all points of the cosine between residual and truth; None where the truth is unknown.
    pub fn mean_cosine(&self) -> Option<f64> {
        let cosines = self.residuals.iter().zip(self.truth.as_ref()?).map(|(a, b)| cosine(*a, *b));
        Some(cosines.sum::<f64>() / self.residuals.len().max(1) as f64)
    }
}

// Zero where an arrow has no direction.
fn cosine(a: [f64; 2], b: [f64; 2]) -> f64 {
    let dot = |a: [f64; 2], b: [f64; 2]| a[0] * b[0] + a[1] * b[1];
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

/// The score learned of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreFigure {
    /// What the points are drawn from.
    pub shape: Shape2d,
    /// How the model was trained.
    pub config: Config,
    /// The standard deviation s of its noise, in the unit square.
    pub deviation: f64,
    /// Arrows at the test points.
    pub at_data: ScoreField,
    /// Arrows at even steps over the unit square, row by row from below.
    pub on_grid: ScoreField,
    /// Points in a row of `on_grid`.
    pub side: usize,
    /// Each epoch of the training.
    pub epochs: Vec<EpochReport>,
}

// Arrows in a row of the grid.
const SIDE: usize = 24;
// Enough for a picture that is right at a glance, in a few seconds on two cores.
const QUICK_EPOCHS: u32 = 20;

// The noise may not be wider than what lies between the arms of a curve, or there is nothing to see of them.
const fn deviation(shape: Shape2d) -> f32 {
    match shape {
        Shape2d::Mixture => 0.1,
        Shape2d::Moons | Shape2d::Spiral => 0.05,
    }
}

/// Trains the preset `score` on a shape, with noise of deviation 0.1 for the mixture and 0.05 for the curves, and
/// takes its residuals at the test points and on a grid. With `quick` it trains for fewer epochs. `watch` sees each
/// epoch and returns whether to go on.
///
/// # Errors
/// [`Error::Stopped`] where `watch` said so, and what training can fail with.
pub async fn score_field(
    device: &Device,
    shape: Shape2d,
    quick: bool,
    watch: &mut dyn FnMut(&EpochReport) -> bool,
) -> Result<ScoreFigure> {
    let mut config = Config::preset("score")?;
    config.data.source = Source::of_shape(shape);
    config.model.corruption_amount = deviation(shape);
    if quick {
        config.train.epochs = config.train.epochs.min(QUICK_EPOCHS);
    }
    let split = config.data.load()?;
    let mut trainer = Trainer::new(device, &config, &split).await?;
    let mut epochs = Vec::new();
    while trainer.epochs_done() < config.train.epochs {
        let report = trainer.epoch(&mut |_| true).await?;
        epochs.push(report);
        if !watch(&report) {
            return Err(Error::Stopped);
        }
    }
    let checkpoint = trainer.checkpoint().await?;
    let deviation = f64::from(config.model.corruption_amount);
    let field = async |points: &Dataset| -> Result<ScoreField> {
        let field = ScoreField::new(device, &checkpoint, points).await?;
        let known = shape == Shape2d::Mixture;
        Ok(if known { field.with_truth(&GaussianMixture::three(), deviation) } else { field })
    };
    let at_data = field(&split.test).await?;
    let on_grid = field(&grid(SIDE)?).await?;
    Ok(ScoreFigure { shape, config, deviation, at_data, on_grid, side: SIDE, epochs })
}
