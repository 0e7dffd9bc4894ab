//! A plan of a trained model, with its images and what it learned on the device.

use crate::Result;
use crate::data::Dataset;
use crate::graph::{Device, Plan, Replay};
use crate::train::{Checkpoint, write_images};

/// Uploads the checkpoint's slots, as far as `plan` has them, and the images of `data` where it reads any.
pub(super) async fn loaded(
    device: &Device,
    plan: Plan,
    checkpoint: &Checkpoint,
    data: Option<&Dataset>,
) -> Result<Replay> {
    let mut replay = Replay::new(device, plan).await?;
    replay.write_slots(&checkpoint.slots)?;
    if let Some(data) = data {
        write_images(&mut replay, data, checkpoint.center.as_deref())?;
    }
    Ok(replay)
}
