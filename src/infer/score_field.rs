//! What a denoising autoencoder learned of the data's density: `r(x) - x`, compared with s² times the score.
//!
//! Of all functions, `E[x given seen]` has the least squared error under Gaussian noise of deviation s, and
//! `E[x given seen] - seen = s² grad log p_s(seen)` with p_s the data's density convolved with the noise (Vincent
//! 2011, "A connection between score matching and denoising autoencoders"; Alain and Bengio 2014, "What regularized
//! auto-encoders learn from the data-generating distribution", theorem 2 for s towards 0).

use super::Reconstructor;
use crate::data::points::coordinates;
use crate::data::{Dataset, GaussianMixture};
use crate::graph::Device;
use crate::train::Checkpoint;
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
    /// [`Error::Shape`] for a model or images of another size.
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
