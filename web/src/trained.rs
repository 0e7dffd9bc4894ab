//! The use of a trained model: codes, reconstructions, samples, scores.

use narrows::graph;
use narrows::infer::{Decoder, Interpolation, Reconstructor, Scores, prior_codes};
use narrows::train::Checkpoint;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::device::Device;
use crate::images::Images;
use crate::side_by_side::side_by_side;
use crate::wire::{Answer, object, thrown};

// Codes that are decoded at once: enough for a row of pictures, and quick for the one under a finger.
const CODES: usize = 16;

/// A trained model.
#[wasm_bindgen]
pub struct Trained {
    device: graph::Device,
    checkpoint: Checkpoint,
    decoder: Option<Decoder>,
}

impl Trained {
    pub(crate) fn new(device: &graph::Device, checkpoint: Checkpoint) -> Self {
        Self { device: device.clone(), checkpoint, decoder: None }
    }
}

/// Codes `[items, latent]` and mean reconstructions `[items, pixels]`.
#[wasm_bindgen]
pub struct Reconstructions {
    inner: narrows::infer::Reconstructions,
}

#[wasm_bindgen]
impl Reconstructions {
    /// The mean of each code, `[items, latent]`.
    #[wasm_bindgen(getter)]
    pub fn codes(&self) -> Vec<f32> {
        self.inner.codes.clone()
    }

    /// The mean reconstructions `[items, pixels]`, in the data's units.
    #[wasm_bindgen(getter)]
    pub fn images(&self) -> Vec<f32> {
        self.inner.images.clone()
    }

    /// The corrupted items that were encoded, where they were.
    #[wasm_bindgen(getter)]
    pub fn seen(&self) -> Option<Vec<f32>> {
        self.inner.seen.clone()
    }
}

#[wasm_bindgen]
impl Trained {
    /// A checkpoint's bytes, of this page or of the command line.
    pub fn load(device: &Device, checkpoint: &[u8]) -> Answer<Trained> {
        Ok(Self::new(device.inner(), Checkpoint::from_bytes(checkpoint).map_err(thrown)?))
    }

    /// What it is: the shape of its items, the size of its code, its epoch, its settings.
    #[wasm_bindgen(getter, unchecked_return_type = "TrainedInfo")]
    pub fn info(&self) -> Answer {
        let model = self.checkpoint.model().map_err(thrown)?;
        let [height, width, channels] = self.checkpoint.shape;
        object(&json!({
            "height": height, "width": width, "channels": channels, "latent": model.latent(),
            "prior": model.prior().is_some(),
            "epoch": self.checkpoint.epoch(), "step": self.checkpoint.step(),
            "settings": crate::settings(&self.checkpoint.config),
        }))
    }

    /// The checkpoint's bytes.
    pub fn checkpoint(&self) -> Answer<Vec<u8>> {
        self.checkpoint.to_bytes().map_err(thrown)
    }

    /// Encodes and decodes `count` items of a part from `first` on. `corrupted`: corrupts them first, as in training.
    pub async fn reconstruct(
        &self,
        images: &Images,
        part: &str,
        first: usize,
        count: usize,
        corrupted: bool,
    ) -> Answer<Reconstructions> {
        let data = images.range(part, first, count)?;
        let run = async {
            let mut reconstructor = if corrupted {
                side_by_side(Reconstructor::corrupted(&self.device, &self.checkpoint, &data)).await?
            } else {
                side_by_side(Reconstructor::new(&self.device, &self.checkpoint, &data)).await?
            };
            reconstructor.run().await
        };
        Ok(Reconstructions { inner: run.await.map_err(thrown)? })
    }

    /// The same of items `[items, pixels]` in the data's units, as those that were drawn by hand.
    #[wasm_bindgen(js_name = reconstructValues)]
    pub async fn reconstruct_values(&self, values: Vec<f32>) -> Answer<Reconstructions> {
        let run = async {
            let data = self.items(values)?;
            side_by_side(Reconstructor::new(&self.device, &self.checkpoint, &data)).await?.run().await
        };
        Ok(Reconstructions { inner: run.await.map_err(thrown)? })
    }

    /// The mean images `[codes, pixels]` of codes `[codes, latent]`, in the data's units.
    pub async fn decode(&mut self, codes: Vec<f32>) -> Answer<Vec<f32>> {
        let decode = async {
            let decoder = match &mut self.decoder {
                Some(decoder) => decoder,
                none => none.insert(side_by_side(Decoder::new(&self.device, &self.checkpoint, CODES)).await?),
            };
            decoder.decode(&codes).await
        };
        decode.await.map_err(thrown)
    }

    /// The mean images of `count` codes from the prior, a standard normal. Throws for a model without one, as an mlp.
    pub async fn sample(&mut self, seed: u32, count: usize) -> Answer<Vec<f32>> {
        self.checkpoint.check_prior().map_err(thrown)?;
        let latent = self.checkpoint.model().map_err(thrown)?.latent() as usize;
        self.decode(prior_codes(seed.into(), count, latent)).await
    }

    /// `count` codes from `a` to `b`, both included: on a straight line, or on an arc.
    pub fn interpolate(&self, a: &[f32], b: &[f32], count: usize, spherical: bool) -> Vec<f32> {
        let kind = if spherical { Interpolation::Spherical } else { Interpolation::Linear };
        kind.codes(a, b, count)
    }

    /// How unusual items `[items, pixels]` are: each term, the squared error, and the score, with names.
    #[wasm_bindgen(unchecked_return_type = "Scores")]
    pub async fn score(&self, values: Vec<f32>) -> Answer {
        let score = async {
            let data = self.items(values)?;
            Scores::new(&self.device, &self.checkpoint, &data, 0).await
        };
        let scores = score.await.map_err(thrown)?;
        let rows: Vec<Vec<f64>> = (0..scores.anomaly.len()).map(|at| scores.row(at).collect()).collect();
        object(&json!({ "columns": scores.columns(), "by": scores.by, "rows": rows }))
    }
}

impl Trained {
    // Items in the data's units: a model of bytes takes them in [0, 1].
    fn items(&self, values: Vec<f32>) -> narrows::Result<narrows::data::Dataset> {
        let bytes =
            |values: Vec<f32>| values.iter().map(|value| (value * 255.0).round() as u8).collect::<Vec<u8>>();
        let shape = self.checkpoint.shape;
        match self.checkpoint.bytes {
            true => narrows::data::Dataset::new("drawn", shape, bytes(values), None),
            false => narrows::data::Dataset::new("drawn", shape, values, None),
        }
    }
}
