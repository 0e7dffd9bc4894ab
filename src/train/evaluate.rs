//! Loss terms over a whole data set, each image once.

use super::{Checkpoint, TermMeans};
use crate::data::Dataset;
use crate::graph::{Device, Replay, State};
use crate::model::Model;
use crate::{Error, Result};

/// A data set resident on the device, ready to be evaluated on again and again.
#[derive(Debug)]
pub struct Evaluator {
    replay: Replay,
    model: Model,
    total: u32,
    seed: u64,
}

impl Evaluator {
    /// Uploads `data`, which must not be empty. `center` is the mean training image where the model subtracts it.
    pub async fn new(
        device: &Device,
        model: &Model,
        data: &Dataset,
        center: Option<&[f32]>,
        seed: u64,
    ) -> Result<Self> {
        let total = count(data)?;
        let mut replay = Replay::new(device, model.evaluation_of(total)?).await?;
        write_images(&mut replay, data, center)?;
        Ok(Self { replay, model: model.clone(), total, seed })
    }

    /// The means over the images, of the model that `trained` trains, as it is now. Draws the same noise each time.
    pub async fn evaluate(&mut self, trained: &Replay) -> Result<TermMeans> {
        self.replay.copy_trained(trained)?;
        self.run().await
    }

    /// The means over the images, of the model that a checkpoint holds.
    pub async fn evaluate_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<TermMeans> {
        self.replay.write_slots(&checkpoint.slots)?;
        self.run().await
    }

    async fn run(&mut self) -> Result<TermMeans> {
        self.replay.write_state(&State::new(self.seed))?;
        let batch = self.replay.plan().batch;
        self.replay.run(self.total.div_ceil(batch)).await?;
        let mut means = Vec::new();
        for term in self.model.terms().iter() {
            let each = self.replay.read_floats(&term.name).await?;
            means.push(each.iter().map(|value| f64::from(*value)).sum::<f64>() / f64::from(self.total));
        }
        Ok(TermMeans::new(self.model.terms(), means))
    }
}

/// The number of images, as the device counts.
pub(crate) fn count(data: &Dataset) -> Result<u32> {
    let countable = u32::try_from(data.len()).ok().filter(|count| *count > 0);
    countable.ok_or_else(|| Error::setting("data set", "between 1 and 2^32 - 1 images", data.len()))
}

/// Writes a data set's images to a plan that reads them, and the mean image where it subtracts that.
pub(crate) fn write_images(replay: &mut Replay, data: &Dataset, center: Option<&[f32]>) -> Result<()> {
    replay.write("images", &packed(&data.images))?;
    center.map_or(Ok(()), |center| replay.write_floats("center", center))
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
