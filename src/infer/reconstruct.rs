//! Using a trained model: codes and reconstructions of images, images of codes.

use std::ops::Range;

use super::loaded;
use crate::data::Dataset;
use crate::graph::{Device, Replay, State};
use crate::kernels::corruption::Corruption;
use crate::model::Model;
use crate::rng::{Stream, key, normal_at};
use crate::train::{Checkpoint, Transform, count};
use crate::{Error, Result};

/// Encodes the images of one data set: codes are E[z given x], without noise of their own.
#[derive(Debug)]
pub struct Encoder {
    replay: Replay,
    total: usize,
}

impl Encoder {
    /// Uploads `data` and the checkpoint's parameters and statistics.
    ///
    /// # Errors
    /// As [`Reconstructor::new`].
    pub async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Self> {
        checkpoint.check_images(data)?;
        let total = count(data)?;
        let replay = loaded(device, checkpoint, data, |model| model.encoding(total)).await?;
        Ok(Self { replay, total: total as usize })
    }

    /// The codes `[images, latent]` of all images, in order.
    ///
    /// # Errors
    /// Those of the device.
    pub async fn run(&mut self) -> Result<Vec<f32>> {
        let [codes] = all_of(&mut self.replay, self.total, ["code"]).await?;
        Ok(codes)
    }
}

// Of a plan that takes images in batches and in order, its outputs `[total, width]` for all of them.
async fn all_of<const N: usize>(
    replay: &mut Replay,
    total: usize,
    outputs: [&str; N],
) -> Result<[Vec<f32>; N]> {
    let batch = replay.plan().batch as usize;
    let mut all = [const { Vec::new() }; N];
    replay.write_state(&State::new(0))?;
    for start in (0..total).step_by(batch) {
        replay.run(1).await?;
        for (all, name) in all.iter_mut().zip(outputs) {
            let numbers = replay.read_floats(name).await?;
            let width = numbers.len() / batch;
            all.extend_from_slice(&numbers[..batch.min(total - start) * width]);
        }
    }
    Ok(all)
}

/// Encodes and reconstructs the images of one data set: codes are E[z given x], without noise of their own.
#[derive(Debug)]
pub struct Reconstructor {
    replay: Replay,
    total: usize,
    transform: Transform,
    pixels: usize,
    corrupted: bool,
}

/// Codes `[images, latent]` and mean reconstructions `[images, pixels]`, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconstructions {
    /// E[z given x].
    pub codes: Vec<f32>,
    /// The likelihood's mean given that code, in the data's units: of bytes in [0, 1].
    pub images: Vec<f32>,
    /// The corrupted images that were encoded, `[images, pixels]`; None where they were encoded as they are.
    pub seen: Option<Vec<f32>>,
}

impl Reconstructor {
    /// Uploads `data` and the checkpoint's parameters and statistics.
    ///
    /// # Errors
    /// [`Error::Setting`] for an empty data set, [`Error::Shape`] for images
    /// of another size.
    pub async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Self> {
        Self::with(device, checkpoint, data, None).await
    }

    /// As [`Reconstructor::new`], of images that are corrupted as in training, the same way in each run. Refused for a
    /// model that was trained without corruption.
    pub async fn corrupted(device: &Device, checkpoint: &Checkpoint, data: &Dataset) -> Result<Self> {
        let corruption = checkpoint.config.model.corruption().ok_or_else(|| {
            let expected = "one that the model is trained with, to see images as it did";
            Error::setting("corruption", expected, "none")
        })?;
        Self::with(device, checkpoint, data, Some(corruption)).await
    }

    async fn with(
        device: &Device,
        checkpoint: &Checkpoint,
        data: &Dataset,
        corruption: Option<Corruption>,
    ) -> Result<Self> {
        checkpoint.check_images(data)?;
        let total = count(data)?;
        let plan = |model: &Model| model.reconstruction(total, corruption);
        let replay = loaded(device, checkpoint, data, plan).await?;
        let (transform, corrupted) = (checkpoint.transform.clone(), corruption.is_some());
        Ok(Self { replay, total: total as usize, transform, pixels: data.pixels(), corrupted })
    }

    /// Replaces parameters and statistics by those of `trained`, which must be the same model.
    pub fn follow(&mut self, trained: &Replay) -> Result<()> {
        self.replay.copy_trained(trained)
    }

    /// Runs over all images, in order.
    pub async fn run(&mut self) -> Result<Reconstructions> {
        let (replay, total) = (&mut self.replay, self.total);
        let (codes, mut images, mut seen) = if self.corrupted {
            let [codes, images, seen] = all_of(replay, total, ["code", "reconstruction", "seen"]).await?;
            (codes, images, Some(seen))
        } else {
            let [codes, images] = all_of(replay, total, ["code", "reconstruction"]).await?;
            (codes, images, None)
        };
        for pictures in [Some(&mut images), seen.as_mut()].into_iter().flatten() {
            self.transform.undo(pictures, self.pixels);
        }
        Ok(Reconstructions { codes, images, seen })
    }
}

impl Reconstructions {
    /// The rows of a picture: the originals, their corrupted versions where there are any, and the reconstructions.
    pub fn beside<'a>(&'a self, originals: &'a [f32]) -> Vec<&'a [f32]> {
        let seen = self.seen.as_deref();
        [originals].into_iter().chain(seen).chain([self.images.as_slice()]).collect()
    }
}

/// Decodes codes to mean images.
#[derive(Debug)]
pub struct Decoder {
    replay: Replay,
    latent: usize,
    classes: usize,
    batch: usize,
    transform: Transform,
    pixels: usize,
}

impl Decoder {
    /// Uploads the checkpoint's parameters and statistics, for up to `batch` codes at a time.
    pub async fn new(device: &Device, checkpoint: &Checkpoint, batch: usize) -> Result<Self> {
        let model = checkpoint.model()?;
        let most = u32::try_from(batch).unwrap_or(u32::MAX).max(1);
        let mut replay = Replay::new(device, model.decoding_of(most)?).await?;
        replay.write_slots(&checkpoint.slots)?;
        let (latent, classes) = (model.latent() as usize, model.classes() as usize);
        Ok(Self {
            batch: replay.plan().batch as usize,
            replay,
            latent,
            classes,
            transform: checkpoint.transform.clone(),
            pixels: checkpoint.shape.iter().product(),
        })
    }

    /// Replaces parameters and statistics by those of `trained`, which must be the same model.
    pub fn follow(&mut self, trained: &Replay) -> Result<()> {
        self.replay.copy_trained(trained)
    }

    /// The mean images `[codes, pixels]`, in the data's units, of codes `[codes, latent]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a conditional model, which must be told the classes.
    pub async fn decode(&mut self, codes: &[f32]) -> Result<Vec<f32>> {
        self.decode_as(codes, &[]).await
    }

    /// The same of codes that are each of a class `[codes]`, a label of [`Transform::classes`]; none for a model that is not
    /// conditional.
    ///
    /// # Errors
    /// [`Error::Shape`] for a number of classes that is not that of the codes, and for a label that the model does not know.
    pub async fn decode_as(&mut self, codes: &[f32], classes: &[u32]) -> Result<Vec<f32>> {
        let count = codes.len() / self.latent;
        let expected = if self.classes == 0 { 0 } else { count };
        if classes.len() != expected {
            let expected = format!("{expected} classes for {count} codes");
            return Err(Error::shape("decode", expected, format!("{} classes", classes.len())));
        }
        if let Some(unknown) = classes.iter().find(|class| **class as usize >= self.classes) {
            return Err(Error::shape("decode", format!("classes below {}", self.classes), unknown));
        }
        let mut images = Vec::new();
        for first in (0..count).step_by(self.batch) {
            let end = count.min(first + self.batch);
            let mut batch = codes[first * self.latent..end * self.latent].to_vec();
            batch.resize(self.batch * self.latent, 0.0);
            self.replay.write_floats("code", &batch)?;
            if self.classes > 0 {
                let mut told = vec![0.0; self.batch * self.classes];
                for (row, class) in told.chunks_exact_mut(self.classes).zip(&classes[first..end]) {
                    row[*class as usize] = 1.0;
                }
                self.replay.write_floats("classes", &told)?;
            }
            self.replay.run(1).await?;
            let decoded = self.replay.read_floats("image").await?;
            let pixels = decoded.len() / self.batch;
            images.extend_from_slice(&decoded[..(end - first) * pixels]);
        }
        self.transform.undo(&mut images, self.pixels);
        Ok(images)
    }
}

/// `count` codes `[count, latent]` from the prior, a standard normal: the same for the same seed.
pub fn prior_codes(seed: u64, count: usize, latent: usize) -> Vec<f32> {
    prior_codes_of(seed, 0..count, latent)
}

/// Those of [`prior_codes`] with these numbers, of however many there are: `[codes, latent]`.
pub fn prior_codes_of(seed: u64, codes: Range<usize>, latent: usize) -> Vec<f32> {
    let elements = codes.start * latent..codes.end * latent;
    elements.map(|element| normal_at(key(seed), 0, Stream::Prior, 0, element) as f32).collect()
}
