//! Flags of the commands that use a trained model: the checkpoint, and the images to use it on.

use std::path::PathBuf;

use crate::data::Dataset;
use crate::graph::Device;
use crate::infer::Reconstructor;
use crate::train::Checkpoint;
use crate::{Error, Result};

use super::Context;
use super::flags::DataFlags;
use super::output::with_notes;

/// A trained model and the images to use it on.
#[derive(clap::Args)]
pub(super) struct Trained {
    /// A checkpoint file, or a run's folder for its best checkpoint
    #[arg(value_name = "RUN")]
    checkpoint: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    /// Part of the data set
    #[arg(long, value_name = "PART", default_value = "test", help_heading = "Data", value_parser = ["test", "validation", "train"])]
    pub(super) part: String,
}

impl Trained {
    /// The checkpoint and the images: at least one, of the size that the model was trained on.
    pub(super) fn load(&self, context: &Context) -> Result<(Checkpoint, Dataset)> {
        let checkpoint = Checkpoint::find(&context.registry, &self.checkpoint)?;
        let split = with_notes(self.data.over(&checkpoint.config)?.load_for(checkpoint.shape)?);
        let images = match self.part.as_str() {
            "train" => split.train,
            "validation" => split.validation,
            _ => split.test,
        };
        if images.is_empty() {
            let got = format!("{}, which has none", self.part);
            return Err(Error::setting("--part", "a part with images", got));
        }
        checkpoint.check_images(&images)?;
        Ok((checkpoint, images))
    }
}

/// Image `number`, for a flag.
pub(super) fn chosen(flag: &str, number: usize, images: &Dataset) -> Result<Dataset> {
    if number < images.len() {
        return images.slice(number..number + 1);
    }
    Err(Error::setting(flag, format!("the number of an image, from 0 to {}", images.len() - 1), number))
}

/// The codes E[z given x], `[images, latent]`.
pub(super) async fn codes(device: &Device, checkpoint: &Checkpoint, images: &Dataset) -> Result<Vec<f32>> {
    Ok(Reconstructor::new(device, checkpoint, images).await?.run().await?.codes)
}
