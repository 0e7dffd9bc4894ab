//! How sensitive a trained model's codes are to their images: the norm of the Jacobian at each image.

use super::loaded;
use crate::Result;
use crate::data::Dataset;
use crate::graph::{Device, State};
use crate::model::ContractionKind;
use crate::train::{Checkpoint, count};

// Directions per image. The estimate of its square is then off by at most a fifth of itself in two cases of three, the
// mean over a data set by far less.
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
    /// Of the images of `data`, uncorrupted, by a trained model of any variant. Exact where the encoder's layers are dense
    /// and the code is what they give; else estimated, the same in each run. Refused as by
    /// [`Reconstructor::new`](super::Reconstructor::new).
    pub async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Self> {
        checkpoint.check_images(data)?;
        let (total, model) = (count(data)?, checkpoint.model()?);
        let kind = model.best_contraction();
        let mut replay = loaded(device, checkpoint, data, |model| model.jacobian(total, kind)).await?;
        let batch = replay.plan().batch;
        let runs = match kind {
            ContractionKind::Exact => 1,
            ContractionKind::Estimate => DIRECTIONS,
        };
        let mut sums = vec![0.0; total as usize];
        for seed in 0..runs {
            replay.write_state(&State::new(seed))?;
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
