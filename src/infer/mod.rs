//! The use of what was trained: codes, reconstructions, images of codes, bounds, and the geometry of codes.

mod bound;
mod codes;
mod interpolate;
mod jacobian;
mod reconstruct;
mod score;
mod verdict;

pub use bound::{ActiveUnits, ImportanceBound};
pub use codes::{prior_grid, traversals};
pub use interpolate::Interpolation;
pub use jacobian::JacobianNorms;
pub use reconstruct::{Decoder, Reconstructions, Reconstructor, prior_codes};
pub use score::ScoreField;
pub use verdict::{Verdict, all_alike, too_high};

use crate::Result;
use crate::data::Dataset;
use crate::graph::{Device, Plan, Replay};
use crate::train::Checkpoint;

// Uploads the checkpoint's slots, as far as `plan` has them, and the images of `data` where it reads any.
async fn loaded(
    device: &Device,
    plan: Plan,
    checkpoint: &Checkpoint,
    data: Option<&Dataset>,
) -> Result<Replay> {
    let mut replay = Replay::new(device, plan).await?;
    replay.write_slots(&checkpoint.slots)?;
    if let Some(data) = data {
        checkpoint.transform.feed(&mut replay, data)?;
    }
    Ok(replay)
}
