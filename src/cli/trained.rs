//! What every use of a trained model is given: the checkpoint, and images to use it on.

use std::path::PathBuf;

use crate::data::Dataset;
use crate::train::Checkpoint;
use crate::{Error, Result};
use clap::ValueEnum;

use super::Context;
use super::flags::DataFlags;
use super::output::told;

/// A trained model and the images to use it on.
#[derive(clap::Args)]
pub(super) struct Trained {
    /// A checkpoint, or a run's folder for its best one
    #[arg(value_name = "RUN")]
    checkpoint: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    /// Which images
    #[arg(long, value_name = "PART", default_value = "test", help_heading = "Data")]
    part: Part,
}

/// A part of a data set.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Part {
    Test,
    Validation,
    Train,
}

impl Part {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
            Self::Train => "train",
        }
    }
}

impl Trained {
    pub(super) const fn part(&self) -> Part {
        self.part
    }

    /// The checkpoint and the images, of the size it was trained on and at least one.
    pub(super) fn load(&self, context: &Context) -> Result<(Checkpoint, Dataset)> {
        let checkpoint = Checkpoint::find(&context.registry, &self.checkpoint)?;
        let split = told(self.data.over(&checkpoint.config)?.load_for(checkpoint.shape)?);
        let images = match self.part {
            Part::Test => split.test,
            Part::Validation => split.validation,
            Part::Train => split.train,
        };
        if images.is_empty() {
            return Err(Error::setting(
                "--part",
                "a part with images",
                format!("{}, which has none", self.part.name()),
            ));
        }
        checkpoint.check_images(&images)?;
        Ok((checkpoint, images))
    }
}
