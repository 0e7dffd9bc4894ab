//! Loss terms over a whole data set, each image once.

use super::{Checkpoint, TermMeans, Transform};
use crate::data::Dataset;
use crate::graph::{Device, Replay, State};
use crate::model::Model;
use crate::{Error, Result};

/// A data set resident on the device, ready to be evaluated on again and again.
#[derive(Debug)]
pub struct Evaluator {
    replay: Replay,
    model: Model,
    total: u32,
    seed: u64,
}

impl Evaluator {
    /// Uploads `data`, which must not be empty, by the model's transform.
    pub async fn new(
        device: &Device,
        model: &Model,
        data: &Dataset,
        transform: &Transform,
        seed: u64,
    ) -> Result<Self> {
        let total = count(data)?;
        let plan = |model: &Model| model.evaluation_of(total);
        let (model, replay) = transform.replay(device, model.clone(), data, plan).await?;
        Ok(Self { replay, model, total, seed })
    }

    /// The means over the images, of the model that `trained` trains, as it is now. Draws the same noise each time.
    pub async fn evaluate(&mut self, trained: &Replay) -> Result<TermMeans> {
        self.replay.copy_trained(trained)?;
        self.run().await
    }

    /// The means over the images, of the model that a checkpoint holds.
    pub async fn evaluate_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<TermMeans> {
        self.replay.write_slots(&checkpoint.slots)?;
        self.run().await
    }

    /// The terms of each image by itself, in the data's order, of the model that a checkpoint holds.
    pub async fn each_of_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<Vec<TermMeans>> {
        self.replay.write_slots(&checkpoint.slots)?;
        let terms = self.terms().await?;
        let of_image = |image: usize| terms.iter().map(|each| f64::from(each[image])).collect();
        Ok((0..self.total as usize)
            .map(|image| TermMeans::new(self.model.terms(), of_image(image)))
            .collect())
    }

    async fn run(&mut self) -> Result<TermMeans> {
        let (terms, total) = (self.terms().await?, f64::from(self.total));
        let means = terms.iter().map(|each| each.iter().map(|value| f64::from(*value)).sum::<f64>() / total);
        let means = means.collect();
        Ok(TermMeans::new(self.model.terms(), means))
    }

    // Each term of each image, `[terms][images]`.
    async fn terms(&mut self) -> Result<Vec<Vec<f32>>> {
        run_over(&mut self.replay, &self.model, self.total, State::new(self.seed)).await?;
        let mut terms = Vec::new();
        for term in self.model.terms().iter() {
            terms.push(self.replay.read_floats(&term.name).await?);
        }
        Ok(terms)
    }
}

/// Runs an evaluation's plan of `model` once over `total` images, from `state` on. Images that draw alike do so in every step.
pub(crate) async fn run_over(replay: &mut Replay, model: &Model, total: u32, state: State) -> Result<()> {
    let batch = replay.plan().batch;
    if !model.draws_alike() {
        replay.write_state(&state)?;
        return replay.run(total.div_ceil(batch)).await;
    }
    for cursor in (0..total).step_by(batch as usize) {
        replay.write_state(&State { cursor, ..state })?;
        replay.run(1).await?;
    }
    Ok(())
}

/// The number of images, as the device counts.
pub(crate) fn count(data: &Dataset) -> Result<u32> {
    let countable = u32::try_from(data.len()).ok().filter(|count| *count > 0);
    countable.ok_or_else(|| Error::setting("data set", "between 1 and 2^32 - 1 images", data.len()))
}
