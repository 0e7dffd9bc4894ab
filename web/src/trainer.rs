//! A model in training, advanced by slices of time, so that a page stays alive.

use narrows::train::{Checkpoint, Config, Progress, Reached, Trainer as Training};
use narrows::{Error, Result};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use web_time::{Duration, Instant};

use crate::device::{self, Device};
use crate::images::Images;
use crate::side_by_side::side_by_side;
use crate::trained::Trained;
use crate::wire::{self, Answer, object, table, thrown};

// How often the state is kept in memory: what a lost device costs at most, beside the slice under way.
const KEEP: Duration = Duration::from_secs(10);

/// A model in training.
#[wasm_bindgen]
pub struct Trainer {
    training: Training,
    images: Images,
    kept: Checkpoint,
    kept_at: Instant,
    notes: Vec<String>,
}

impl Trainer {
    async fn with(mut training: Training, images: &Images, from: Option<Checkpoint>) -> Result<Self> {
        let kept = match from {
            Some(mut checkpoint) => {
                training.restore(&checkpoint)?;
                checkpoint.config.clone_from(training.config());
                checkpoint
            }
            None => training.checkpoint().await?,
        };
        Ok(Self { training, images: images.clone(), kept, kept_at: Instant::now(), notes: Vec::new() })
    }

    async fn slice(&mut self, milliseconds: f64) -> Result<Value> {
        if self.training.is_done() {
            return Ok(json!({ "rewound": false, "done": true }));
        }
        let slice = Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default();
        let (began, mut last) = (Instant::now(), None);
        let mut watch = |progress: &Progress| {
            last = Some(wire::progress(progress));
            began.elapsed() < slice
        };
        let reached = match self.training.train_on(&mut watch).await {
            Ok(reached) => Some(reached),
            Err(Error::Stopped) => None,
            Err(error) => return Err(error),
        };
        let epoch = match &reached {
            Some(Reached::Epoch(report)) => Some(wire::report(report)),
            _ => None,
        };
        let rewound = matches!(reached, Some(Reached::Rewound(_)));
        if reached.is_some() || self.kept_at.elapsed() > KEEP {
            (self.kept, self.kept_at) = (self.training.checkpoint().await?, Instant::now());
        }
        Ok(json!({ "progress": last, "epoch": epoch, "rewound": rewound, "done": self.training.is_done() }))
    }

    // The state now; where the device is lost, the one that was kept.
    async fn state(&self) -> Result<Checkpoint> {
        match self.training.checkpoint().await {
            Err(Error::DeviceLost { .. }) => Ok(self.kept.clone()),
            state => state,
        }
    }

    // Opens the device again, and goes on from what was kept.
    async fn recover(&mut self) -> Result<()> {
        let device = device::open().await?;
        let mut training =
            side_by_side(Training::new(&device, &self.kept.config, self.images.split())).await?;
        training.restore(&self.kept)?;
        self.training = training;
        Ok(())
    }
}

#[wasm_bindgen]
impl Trainer {
    /// Begins to train a preset with these settings, as `{ model: { latent: 2 }, train: { epochs: 5 } }`, on the training
    /// part of `images`. Settings that are not given are suited to the data, as the command line does; `notes` says which.
    pub async fn begin(
        device: &Device,
        preset: &str,
        #[wasm_bindgen(unchecked_param_type = "Settings | undefined")] settings: JsValue,
        images: &Images,
    ) -> Answer<Trainer> {
        let settings = table(&settings)?;
        let begin = async {
            let (config, notes) = Config::preset_suited_to(preset, settings, &images.split().train)?;
            let training = side_by_side(Training::new(device.inner(), &config, images.split())).await?;
            Ok(Self { notes, ..Self::with(training, images, None).await? })
        };
        begin.await.map_err(thrown)
    }

    /// Goes on from a checkpoint's bytes on the same images, with the numbers of an uninterrupted run; to so many `epochs` in
    /// all, where they are given.
    pub async fn resume(
        device: &Device,
        checkpoint: &[u8],
        images: &Images,
        epochs: Option<u32>,
    ) -> Answer<Trainer> {
        let resume = async {
            let checkpoint = Checkpoint::from_bytes(checkpoint)?;
            checkpoint.check_images(&images.split().train)?;
            let mut config = checkpoint.config.clone();
            config.train.epochs = epochs.unwrap_or(config.train.epochs);
            if config.train.epochs < checkpoint.epoch() {
                let expected = format!("at least the {} that are done", checkpoint.epoch());
                return Err(Error::setting("epochs", expected, config.train.epochs));
            }
            let training = side_by_side(Training::new(device.inner(), &config, images.split())).await?;
            Self::with(training, images, Some(checkpoint)).await
        };
        resume.await.map_err(thrown)
    }

    /// Trains for about so many milliseconds, or to the end of the epoch, which it validates; a run that is done stays as it
    /// is. A lost device is opened anew
    /// and training goes on from the state that was kept last, at most ten seconds ago; `recovered` has its words then.
    #[wasm_bindgen(unchecked_return_type = "Slice")]
    pub async fn advance(&mut self, milliseconds: f64) -> Answer {
        let slice = match self.slice(milliseconds).await {
            Err(lost @ Error::DeviceLost { .. }) => {
                self.recover().await.map_err(thrown)?;
                let step = self.kept.step();
                json!({ "recovered": lost.to_string(), "step": step, "rewound": false, "done": false })
            }
            other => other.map_err(thrown)?,
        };
        object(&slice)
    }

    /// All settings, also those that were not given.
    #[wasm_bindgen(getter, unchecked_return_type = "Settings")]
    pub fn settings(&self) -> Answer {
        object(&crate::settings(self.training.config()))
    }

    /// A sentence for each setting that was suited to the data.
    #[wasm_bindgen(getter)]
    pub fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    /// Whether all epochs are trained.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> bool {
        self.training.is_done()
    }

    /// How many dispatches a step has.
    #[wasm_bindgen(getter)]
    pub fn dispatches(&self) -> usize {
        self.training.plan().dispatches.len()
    }

    /// Everything that is needed to go on from here: a safetensors file, as the command line writes and reads it.
    /// Where the device is lost, from the state that was kept last.
    pub async fn checkpoint(&self) -> Answer<Vec<u8>> {
        let bytes = async { self.state().await?.to_bytes() };
        bytes.await.map_err(thrown)
    }

    /// The model as it is now, for use. Training does not change it.
    pub async fn trained(&self) -> Answer<Trained> {
        let checkpoint = self.state().await.map_err(thrown)?;
        Ok(Trained::new(self.training.device(), checkpoint))
    }
}
