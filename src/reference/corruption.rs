//! Corruption of the images that a denoising autoencoder sees: the twin of `shaders/corruption.wgsl`.

use crate::rng::{Stream, normals, philox, uniform};

/// A corruption of images, each pixel by itself (Vincent et al. 2008, section 2.3; Vincent et al. 2010, section
/// 3.3). Pixels are those of [0, 1], before any mean image is subtracted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Corruption {
    /// Gaussian noise is added. The sum is not clipped.
    Gaussian {
        /// Its standard deviation, in pixel values of [0, 1].
        deviation: f32,
    },
    /// Pixels become 0.
    Dropout {
        /// The probability of that.
        probability: f32,
        /// Whether the other pixels are multiplied by `1 / (1 - probability)`, so that a pixel's mean stays.
        rescale: bool,
    },
    /// Pixels become 0 or 1, with equal probability.
    SaltAndPepper {
        /// The probability of either.
        probability: f32,
    },
}

impl Corruption {
    /// The number of the case in the shader.
    pub const fn code(self) -> u32 {
        match self {
            Self::Gaussian { .. } => 0,
            Self::Dropout { .. } => 1,
            Self::SaltAndPepper { .. } => 2,
        }
    }

    /// The standard deviation or the probability.
    pub const fn amount(self) -> f32 {
        match self {
            Self::Gaussian { deviation } => deviation,
            Self::Dropout { probability, .. } | Self::SaltAndPepper { probability } => probability,
        }
    }

    /// The factor of the pixels that are kept.
    pub fn scale(self) -> f32 {
        match self {
            Self::Dropout { probability, rescale: true } => 1.0 / (1.0 - probability),
            _ => 1.0,
        }
    }

    /// Four pixels, corrupted by the noise of a block of random words.
    pub fn corrupt(self, pixels: [f64; 4], bits: [u32; 4]) -> [f64; 4] {
        let amount = f64::from(self.amount());
        if let Self::Gaussian { .. } = self {
            let noise = normals(bits);
            return std::array::from_fn(|i| pixels[i] + amount * noise[i]);
        }
        std::array::from_fn(|i| match (self, uniform(bits[i])) {
            (Self::SaltAndPepper { .. }, u) if u < 0.5 * amount => 0.0,
            (Self::SaltAndPepper { .. }, u) if u < amount => 1.0,
            (Self::Dropout { .. }, u) if u < amount => 0.0,
            _ => f64::from(self.scale()) * pixels[i],
        })
    }

    /// The pixels of image `number` of a step's batch: four per block, with blocks counted through the batch.
    pub fn image(self, pixels: &[f32], number: u32, seed: [u32; 2], step: u32, instance: u32) -> Vec<f64> {
        let first = number * pixels.len().div_ceil(4) as u32;
        let blocks = pixels.chunks(4).zip(first..).map(|(pixels, block)| {
            let four = std::array::from_fn(|i| pixels.get(i).map_or(0.0, |pixel| f64::from(*pixel)));
            self.corrupt(four, philox([block, step, Stream::Corruption as u32, instance], seed))
        });
        blocks.flatten().take(pixels.len()).collect()
    }
}
