//! What stands between a data set and a model: scaling, the mean image, and the way back.

use half::f16;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::data::{Dataset, ScaleKind, Scaling};
use crate::graph::{Replay, Rows};

// WebGPU's default limit of a buffer that a shader reads, in bytes: what every device holds.
const LARGEST_BUFFER: usize = 128 << 20;

/// How wide floats are in the device's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 16 bits: half the memory, and a relative error of up to 1/2048.
    F16,
}

/// The scaling of a model's numbers and the mean training image that it subtracts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transform {
    /// Fitted on the training part.
    pub scaling: Scaling,
    /// The mean training image `[pixels]`, scaled, where the model subtracts it.
    pub center: Option<Vec<f32>>,
    /// How wide floats are; where it is not given, 16 bits for data that every device holds in no other way.
    pub precision: Option<Precision>,
}

impl Transform {
    /// Of a model that is trained on `train`.
    pub(super) fn fit(train: &Dataset, scaling: Scaling, center: bool, precision: Option<Precision>) -> Self {
        let center = center.then(|| mean_image(train, &scaling));
        Self { scaling, center, precision }
    }

    /// How the images of `data` lie in the device's memory: bytes as such where nothing is scaled, else floats.
    pub fn rows(&self, data: &Dataset) -> Rows {
        if data.values.bytes().is_some() && self.scaling.is_identity() {
            return Rows::Bytes;
        }
        let large = 4 * data.values.len() > LARGEST_BUFFER;
        match self.precision.unwrap_or(if large { Precision::F16 } else { Precision::F32 }) {
            Precision::F32 => Rows::Floats,
            Precision::F16 => Rows::Halves,
        }
    }

    /// Writes a data set's images to a plan that reads them as [`Self::rows`], and the mean image where it subtracts that.
    pub fn write(&self, replay: &mut Replay, data: &Dataset) -> Result<()> {
        match (self.rows(data), data.values.bytes()) {
            (Rows::Bytes, bytes) => replay.write("images", &packed(bytes.unwrap_or_default()))?,
            (Rows::Halves, _) => {
                let mut halves = Vec::with_capacity(data.values.len().next_multiple_of(2));
                for_each_scaled(data, &self.scaling, |row| {
                    halves.extend(row.iter().map(|x| f16::from_f32(*x)))
                });
                halves.resize(halves.len().next_multiple_of(2), f16::ZERO);
                let word =
                    |pair: &[f16; 2]| u32::from(pair[0].to_bits()) | u32::from(pair[1].to_bits()) << 16;
                let words: Vec<u32> = halves.as_chunks().0.iter().map(word).collect();
                replay.write("images", &words)?;
            }
            (Rows::Floats, _) => {
                let mut floats = Vec::with_capacity(data.values.len());
                for_each_scaled(data, &self.scaling, |row| floats.extend_from_slice(row));
                replay.write_floats("images", &floats)?;
            }
        }
        self.center.as_ref().map_or(Ok(()), |center| replay.write_floats("center", center))
    }

    /// Brings whole images that a model gave back to the data's own units.
    pub(crate) fn undo(&self, images: &mut [f32], pixels: usize) {
        for image in images.chunks_exact_mut(pixels.max(1)) {
            for (pixel, mean) in image.iter_mut().zip(self.center.iter().flatten()) {
                *pixel += mean;
            }
            self.scaling.unscale(image);
        }
    }

    /// Images in the data's units as pictures show them: the smallest number of the training part black, the largest white.
    /// Columns that have scales of their own are each grey at 0 of their scale, black and white 3 below and above it.
    pub fn shown(&self, mut images: Vec<f32>) -> Vec<f32> {
        let columns = self.scaling.shift.len();
        if columns > 1 {
            images.chunks_exact_mut(columns).for_each(|row| self.scaling.scale(row));
        }
        let [low, high] = match (columns, self.scaling.kind) {
            (1, _) => self.scaling.range,
            (_, ScaleKind::Unit) => [0.0, 1.0],
            _ => [-3.0, 3.0],
        };
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

/// Calls `see` with each image as the model sees it, the mean image not subtracted.
pub(super) fn for_each_scaled(data: &Dataset, scaling: &Scaling, mut see: impl FnMut(&[f32])) {
    let mut row = Vec::with_capacity(data.pixels());
    data.values.for_each_row(data.pixels(), |numbers| {
        row.clear();
        row.extend_from_slice(numbers);
        scaling.scale(&mut row);
        see(&row);
    });
}

// The mean image, `[pixels]`. The sum of bytes is exact.
fn mean_image(data: &Dataset, scaling: &Scaling) -> Vec<f32> {
    let (mut sums, count) = (vec![0.0_f64; data.pixels()], data.len().max(1) as f64);
    if let Some(bytes) = data.values.bytes().filter(|_| scaling.is_identity()) {
        for image in bytes.chunks_exact(data.pixels()) {
            sums.iter_mut().zip(image).for_each(|(sum, byte)| *sum += f64::from(*byte));
        }
        let scale = 1.0 / (255.0 * count);
        return sums.into_iter().map(|sum| (sum * scale) as f32).collect();
    }
    for_each_scaled(data, scaling, |row| {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
    });
    sums.into_iter().map(|sum| (sum / count) as f32).collect()
}
