//! How strongly a trained model's codes answer to their images: the norm of the Jacobian at each image.

use super::Checkpoint;
use super::evaluate::{count, packed};
use crate::Result;
use crate::data::Dataset;
use crate::graph::{Device, Replay};
use crate::kernels::state::State;
use crate::model::ContractionKind;

/// Directions an image's norm is estimated from. A single image's square is then off by at most a fifth of itself
/// in two cases of three, the mean over a data set by far less.
const DIRECTIONS: u64 = 64;

/// The Frobenius norm of the Jacobian of the code at each image of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct JacobianNorms {
    /// `||dz/dx||` of each image, in order.
    pub norms: Vec<f32>,
    /// Exact, or estimated from 64 random directions each.
    pub kind: ContractionKind,
}

impl JacobianNorms {
    /// Of the images of `data`, uncorrupted, by a trained model of any variant. Exact where the encoder's layers
    /// are dense and the code is what they give; else estimated, alike in each run.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for an empty data set,
    /// [`Error::Shape`](crate::Error::Shape) for images of another size, and what running can fail with.
    pub async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Self> {
        checkpoint.check_images(data)?;
        let (total, model) = (count(data)?, checkpoint.model()?);
        let kind = model.best_contraction();
        let batch = model.evaluation_batch(total);
        let mut replay = Replay::new(device, model.jacobian(batch, total, kind)?).await?;
        replay.write("images", &packed(&data.images))?;
        replay.write_trained(&checkpoint.parameters, &checkpoint.statistics)?;
        if let Some(center) = &checkpoint.center {
            replay.write_floats("center", center)?;
        }
        let runs = match kind {
            ContractionKind::Exact => 1,
            ContractionKind::Estimate => DIRECTIONS,
        };
        let mut sums = vec![0.0; total as usize];
        for seed in 0..runs {
            replay.write_state(&State::new(seed, 0.0, [0.0; 2]))?;
            replay.run(total.div_ceil(batch)).await?;
            let squares = replay.read_floats("contraction").await?;
            sums.iter_mut().zip(squares).for_each(|(sum, square)| *sum += f64::from(square));
        }
        let norms = sums.into_iter().map(|sum| (sum / runs as f64).sqrt() as f32).collect();
        Ok(Self { norms, kind })
    }

    /// The mean over the images.
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.norms.iter().map(|norm| f64::from(*norm)).sum();
        sum / self.norms.len().max(1) as f64
    }
}
