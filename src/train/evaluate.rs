//! Loss terms over a whole data set, each image once and alike.

use crate::data::Dataset;
use crate::graph::{Device, Replay};
use crate::kernels::state::State;
use crate::model::Model;
use crate::train::{Checkpoint, Losses};
use crate::{Error, Result};

/// A data set resident on the device, ready to be evaluated on again and again.
#[derive(Debug)]
pub struct Evaluator {
    replay: Replay,
    total: u32,
    batch: u32,
    seed: u64,
}

/// An evaluation's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Means over the images.
    pub losses: Losses,
    /// Images evaluated.
    pub images: u32,
}

impl Evaluator {
    /// Uploads `data`. `center` is the mean training image where the model subtracts it.
    ///
    /// # Errors
    /// [`Error::Setting`] for an empty data set, or one beyond what a device counts.
    pub async fn new(
        device: &Device,
        model: &Model,
        data: &Dataset,
        center: Option<&[f32]>,
        seed: u64,
    ) -> Result<Self> {
        let total = count(data)?;
        let batch = model.evaluation_batch(total);
        let mut replay = Replay::new(device, model.evaluation(batch, total)?).await?;
        replay.write("images", &packed(&data.images))?;
        if let Some(center) = center {
            replay.write_floats("center", center)?;
        }
        Ok(Self { replay, total, batch, seed })
    }

    /// Evaluates the model that `trained` trains, as it is. Draws the same noise each time.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] and what else running can fail with.
    pub async fn evaluate(&mut self, trained: &Replay) -> Result<Evaluation> {
        self.replay.copy_trained(trained)?;
        self.run().await
    }

    /// Evaluates the model that a checkpoint holds.
    ///
    /// # Errors
    /// As [`Evaluator::evaluate`].
    pub async fn evaluate_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<Evaluation> {
        self.replay.write_trained(&checkpoint.parameters, &checkpoint.statistics)?;
        self.run().await
    }

    async fn run(&mut self) -> Result<Evaluation> {
        self.replay.write_state(&State::new(self.seed, 0.0, [0.0; 2]))?;
        self.replay.run(self.total.div_ceil(self.batch)).await?;
        let mut losses = Losses::default();
        for name in self.replay.plan().terms.clone() {
            let each = self.replay.read_floats(&name).await?;
            let sum: f64 = each.iter().map(|value| f64::from(*value)).sum();
            *losses.term(&name) = sum / f64::from(self.total);
        }
        Ok(Evaluation { losses, images: self.total })
    }
}

/// The number of images, as the device counts.
pub(super) fn count(data: &Dataset) -> Result<u32> {
    let countable = u32::try_from(data.len()).ok().filter(|count| *count > 0);
    countable.ok_or_else(|| Error::setting("data set", "between 1 and 2^32 - 1 images", data.len()))
}

/// Bytes, four to a word, little-endian.
pub fn packed(bytes: &[u8]) -> Vec<u32> {
    let word = |chunk: &[u8]| {
        let mut four = [0; 4];
        four[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(four)
    };
    bytes.chunks(4).map(word).collect()
}

/// The mean image, `[pixels]`, in [0, 1].
pub(super) fn mean_image(data: &Dataset) -> Vec<f32> {
    let mut sums = vec![0_u64; data.pixels()];
    for image in data.images.chunks_exact(data.pixels().max(1)) {
        for (sum, pixel) in sums.iter_mut().zip(image) {
            *sum += u64::from(*pixel);
        }
    }
    let scale = 1.0 / (255.0 * data.len().max(1) as f64);
    sums.into_iter().map(|sum| (sum as f64 * scale) as f32).collect()
}
