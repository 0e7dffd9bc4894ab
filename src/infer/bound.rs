//! How good a variational autoencoder is, beyond its ELBO: the importance-weighted bound, and its active units.

use super::{Encoder, loaded_as};
use crate::Result;
use crate::data::Dataset;
use crate::graph::{Device, State};
use crate::model::{Model, check_count};
use crate::train::{Checkpoint, count, run_over};

/// The importance-weighted bound on `log p(x)`: `log (1/k) sum p(x, z_i) / q(z_i|x)` over k samples z_i of q(z|x)
/// (Burda et al. 2015, equation 8). With one sample it is an estimate of the ELBO; with more it comes closer to
/// `log p(x)` from below.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportanceBound {
    /// k, the samples of each image.
    pub samples: u32,
    /// Nats of each image, in the data's order.
    pub each: Vec<f64>,
}

impl ImportanceBound {
    /// Estimates it on `data`, with the same noise each time. The first sample of an image is the one that an
    /// [`Evaluator`](crate::train::Evaluator) with the same seed draws.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for no samples and for a model without a Gaussian code or a probability; as [`Encoder`].
    pub async fn estimate(
        device: &Device,
        checkpoint: &Checkpoint,
        data: &Dataset,
        samples: u32,
    ) -> Result<Self> {
        Self::of(device, checkpoint, checkpoint.model()?, data, samples).await
    }

    /// The same of its `model`, which may draw alike.
    pub(super) async fn of(
        device: &Device,
        checkpoint: &Checkpoint,
        model: Model,
        data: &Dataset,
        samples: u32,
    ) -> Result<Self> {
        check_count("samples", samples)?;
        checkpoint.check_images(data)?;
        let total = count(data)?;
        let plan = |model: &Model| model.importance(total);
        let (model, mut replay) = loaded_as(device, checkpoint, model, data, plan).await?;
        let steps = total.div_ceil(replay.plan().batch);
        let mut sums = vec![LogSum::default(); total as usize];
        for sample in 0..samples {
            // Each pass begins with the first image, and at steps of its own, which key the noise.
            let step = sample.wrapping_mul(steps);
            let state = State { step, ..State::new(checkpoint.config.train.seed) };
            run_over(&mut replay, &model, total, state).await?;
            let nll = replay.read_floats("reconstruction").await?;
            let ratio = replay.read_floats("log_ratio").await?;
            for (sum, (nll, ratio)) in sums.iter_mut().zip(nll.iter().zip(&ratio)) {
                sum.add(f64::from(*ratio) - f64::from(*nll));
            }
        }
        let each = sums.iter().map(|sum| sum.value() - f64::from(samples).ln()).collect();
        Ok(Self { samples, each })
    }

    /// The mean over the images, in nats.
    pub fn mean(&self) -> f64 {
        self.each.iter().sum::<f64>() / self.each.len().max(1) as f64
    }
}

// log(sum of e^x), of numbers x that come one by one and whose powers may not be representable.
#[derive(Clone, Copy, Debug)]
struct LogSum {
    largest: f64,
    // Of e^(x - largest).
    sum: f64,
}

impl Default for LogSum {
    fn default() -> Self {
        Self { largest: f64::NEG_INFINITY, sum: 0.0 }
    }
}

impl LogSum {
    fn add(&mut self, x: f64) {
        if x > self.largest {
            self.sum = self.sum * (self.largest - x).exp() + 1.0;
            self.largest = x;
        } else {
            self.sum += (x - self.largest).exp();
        }
    }

    fn value(self) -> f64 {
        self.largest + self.sum.ln()
    }
}

/// How much each unit of a code depends on the image: the variance over images of E[z given x] (Burda et al. 2015,
/// section 5.2).
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveUnits {
    /// Of each unit.
    pub variances: Vec<f64>,
}

impl ActiveUnits {
    /// The variance above which a unit counts as active.
    pub const THRESHOLD: f64 = 0.01;

    /// Encodes `data`. None for one image, over which nothing varies.
    pub async fn measure(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Option<Self>> {
        if data.len() < 2 {
            return Ok(None);
        }
        let codes = Encoder::new(device, checkpoint, data).await?.run().await?;
        Ok(Some(Self::of(&codes, checkpoint.model()?.latent() as usize)))
    }

    /// Of codes `[images, latent]`, row-major.
    pub fn of(codes: &[f32], latent: usize) -> Self {
        let mean = |numbers: &dyn Fn(f64) -> f64, unit: usize| {
            let column = codes.iter().skip(unit).step_by(latent.max(1));
            column.map(|z| numbers(f64::from(*z))).sum::<f64>() / (codes.len() / latent.max(1)).max(1) as f64
        };
        let variance = |unit: usize| {
            let center = mean(&|z| z, unit);
            mean(&|z| (z - center).powi(2), unit)
        };
        Self { variances: (0..latent).map(variance).collect() }
    }

    /// How many units are active.
    pub fn count(&self) -> usize {
        self.variances.iter().filter(|variance| **variance > Self::THRESHOLD).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_of_sums_neither_overflow_nor_vanish() {
        let sum = |numbers: &[f64]| {
            let mut sum = LogSum::default();
            numbers.iter().for_each(|x| sum.add(*x));
            sum.value()
        };
        assert_eq!(sum(&[-250.0]), -250.0);
        for shift in [0.0, -2000.0, 2000.0] {
            let got = sum(&[1.0, 3.0, -2.0, 3.0].map(|x: f64| x + shift)) - shift;
            let plain = [1.0, 3.0, -2.0, 3.0].map(f64::exp).iter().sum::<f64>().ln();
            assert!((got - plain).abs() < 1e-12, "{shift}: {got}, not {plain}");
        }
        assert!(sum(&[1.0, f64::NAN, 2.0]).is_nan());
    }
}
