//! The use of what was trained: codes, reconstructions, images of codes, bounds, and the geometry of codes.

mod bound;
mod codes;
mod interpolate;
mod jacobian;
mod ranking;
mod reconstruct;
mod score_field;
mod scores;
mod verdict;

pub use bound::{ActiveUnits, ImportanceBound};
pub use codes::{prior_grid, traversals};
pub use interpolate::Interpolation;
pub use jacobian::JacobianNorms;
pub use ranking::{Ranking, quantile};
pub use reconstruct::{Decoder, Encoder, Reconstructions, Reconstructor, prior_codes, prior_codes_of};
pub use score_field::ScoreField;
pub use scores::Scores;
pub use verdict::{Verdict, all_alike, too_high};

use crate::Result;
use crate::data::Dataset;
use crate::graph::{Device, Plan, Replay};
use crate::model::Model;
use crate::train::Checkpoint;

// A replay of a plan of the checkpoint's model that reads the images of `data`, with the slots that it has.
async fn loaded(
    device: &Device,
    checkpoint: &Checkpoint,
    data: &Dataset,
    plan: impl Fn(&Model) -> Result<Plan>,
) -> Result<Replay> {
    Ok(loaded_as(device, checkpoint, checkpoint.model()?, data, plan).await?.1)
}

// The same of that model in one of its forms, and the model as it reads the images.
async fn loaded_as(
    device: &Device,
    checkpoint: &Checkpoint,
    model: Model,
    data: &Dataset,
    plan: impl Fn(&Model) -> Result<Plan>,
) -> Result<(Model, Replay)> {
    let (model, mut replay) = checkpoint.transform.replay(device, model, data, plan).await?;
    replay.write_slots(&checkpoint.slots)?;
    Ok((model, replay))
}
