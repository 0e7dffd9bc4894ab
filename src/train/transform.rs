//! What stands between a data set and a model: scaling, the mean image, and the way back.

use crate::Result;
use crate::data::{Dataset, Scaling};
use crate::graph::{Replay, Rows};

/// The scaling of a model's numbers and the mean training image that it subtracts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transform {
    /// Fitted on the training part.
    pub scaling: Scaling,
    /// The mean training image `[pixels]`, scaled, where the model subtracts it.
    pub center: Option<Vec<f32>>,
}

impl Transform {
    /// Of a model that is trained on `train`.
    pub(super) fn fit(train: &Dataset, scaling: Scaling, center: bool) -> Self {
        let center = center.then(|| mean_image(train, &scaling));
        Self { scaling, center }
    }

    /// How the images of `data` lie in the device's memory: bytes as such where nothing is scaled, else floats.
    pub fn rows(&self, data: &Dataset) -> Rows {
        match data.values.bytes() {
            Some(_) if self.scaling.is_identity() => Rows::Bytes,
            _ => Rows::Floats,
        }
    }

    /// Writes a data set's images to a plan that reads them as [`Self::rows`], and the mean image where it subtracts that.
    pub fn write(&self, replay: &mut Replay, data: &Dataset) -> Result<()> {
        match data.values.bytes().filter(|_| self.scaling.is_identity()) {
            Some(bytes) => replay.write("images", &packed(bytes))?,
            None => {
                let scaled = data.values.iter().enumerate();
                let scaled: Vec<f32> = scaled.map(|(at, x)| self.scaling.scaled(at, x)).collect();
                replay.write("images", bytemuck::cast_slice(&scaled))?;
            }
        }
        self.center.as_ref().map_or(Ok(()), |center| replay.write_floats("center", center))
    }

    /// Brings whole images that a model gave back to the data's own units.
    pub(crate) fn undo(&self, images: &mut [f32]) {
        if let Some(center) = &self.center {
            for image in images.chunks_exact_mut(center.len().max(1)) {
                image.iter_mut().zip(center).for_each(|(pixel, mean)| *pixel += mean);
            }
        }
        if !self.scaling.is_identity() {
            for (at, x) in images.iter_mut().enumerate() {
                *x = self.scaling.unscaled(at, *x);
            }
        }
    }
}

impl Transform {
    /// Images in the data's units as pictures show them: the smallest number of the training part black, the largest white.
    pub fn shown(&self, mut images: Vec<f32>) -> Vec<f32> {
        let [low, high] = self.scaling.range;
        if [low, high] != [0.0, 1.0] && high > low {
            images.iter_mut().for_each(|x| *x = (*x - low) / (high - low));
        }
        images
    }
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

// The mean image, `[pixels]`. The sum of bytes is exact.
fn mean_image(data: &Dataset, scaling: &Scaling) -> Vec<f32> {
    let pixels = data.pixels().max(1);
    let (mut sums, count) = (vec![0.0_f64; pixels], data.len().max(1) as f64);
    if let Some(bytes) = data.values.bytes().filter(|_| scaling.is_identity()) {
        for (at, byte) in bytes.iter().enumerate() {
            sums[at % pixels] += f64::from(*byte);
        }
        let scale = 1.0 / (255.0 * count);
        return sums.into_iter().map(|sum| (sum * scale) as f32).collect();
    }
    for (at, x) in data.values.iter().enumerate() {
        sums[at % pixels] += f64::from(scaling.scaled(at, x));
    }
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}
