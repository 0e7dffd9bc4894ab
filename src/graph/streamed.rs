//! Data that stream while a plan runs: the images of the next steps are read and brought to the device.

use std::sync::Arc;

use narrows_shaders::Access;
use rayon::prelude::*;

use super::placement::Order;
use super::replay::Target;
use super::{Phase, Plan, Replay, RowSource, Slice};
use crate::kernels::Operand;
use crate::{Error, Result};

/// What a plan that streams reads, and in which order.
#[derive(Debug)]
pub(super) struct Streamed {
    order: Order,
    source: Option<Box<dyn RowSource>>,
    // The numbers of the images of the next steps; kept, so that steps allocate nothing.
    images: Vec<u32>,
}

impl Streamed {
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        Order::of(plan).map(|order| Self { order, source: None, images: Vec::new() })
    }
}

impl Replay {
    /// Has a plan that streams take its images from `source`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a plan that does not.
    pub fn stream(&mut self, source: Box<dyn RowSource>) -> Result<()> {
        let Some(streamed) = &mut self.streamed else {
            return Err(Error::shape("stream", "a plan that streams its images", "one that has them all"));
        };
        streamed.source = Some(source);
        Ok(())
    }

    /// The most steps of a submit: [`Plan::ring_steps`], or fewer where images stream.
    pub fn most_steps(&self) -> u32 {
        self.streamed.as_ref().map_or(Plan::ring_steps(), |streamed| streamed.order.ring.steps)
    }

    /// Takes the images of the next steps to their places in the ring, where they stream, and counts the steps.
    pub(super) fn bring(&mut self, steps: u32) -> Result<()> {
        let Some(Streamed { order, source, images }) = &mut self.streamed else {
            self.state.step = self.state.step.wrapping_add(steps);
            return Ok(());
        };
        let Some(source) = source else {
            let got = "a plan that streams its images, without a source of them";
            return Err(Error::shape("submit", "a source by Replay::stream", got));
        };
        let (whole, words, batch) = (self.plan.slice("images")?, order.ring.words as usize, order.batch());
        let first = self.state.step % order.ring.steps;
        let mut state = self.state;
        images.clear();
        for _ in 0..steps {
            images.extend(order.images(&mut state));
        }
        let fill = |target: &mut [u32], images: &[u32]| {
            let parts = target.par_chunks_exact_mut(words).zip(images.par_chunks_exact(batch));
            parts.try_for_each(|(part, images)| source.read(images, part))
        };
        // Up to the ring's end, and on from its beginning.
        let before = steps.min(order.ring.steps - first);
        let slice = |first: u32, steps: u32| Slice {
            offset: first as usize * words,
            words: steps as usize * words,
            ..whole
        };
        let slices = [slice(first, before), slice(0, steps - before)];
        let slices = &slices[..if steps > before { 2 } else { 1 }];
        match &mut self.target {
            Target::Gpu(gpu) => gpu.bring(slices, |target| fill(target, images))?,
            Target::Cpu(cpu) => {
                let (head, tail) = images.split_at(before as usize * batch);
                for (slice, images) in slices.iter().zip([head, tail]) {
                    fill(cpu.words_mut(*slice), images)?;
                }
            }
        }
        self.state = state;
        Ok(())
    }

    /// Counts `steps` steps without doing anything else of them: their images train nothing. Learning rates and shares
    /// follow the number of the step, and Adam's corrections go on as if their update had run.
    pub async fn pass_over(&mut self, steps: u32) -> Result<()> {
        let (plan, state) = (Arc::clone(&self.plan), self.plan.slice("state")?);
        let counts = |at: &usize| {
            let dispatch = &plan.dispatches[*at];
            let operands = dispatch.operands.iter().zip(dispatch.kernel.operands());
            let of_state = |(slice, operand): (&Slice, Operand)| {
                slice.buffer == state.buffer && operand.access == Access::ReadWrite
            };
            dispatch.phase == Phase::Update && operands.into_iter().any(of_state)
        };
        let counting: Vec<usize> = (0..plan.dispatches.len()).filter(counts).collect();
        let mut left = steps;
        while left > 0 {
            let now = left.min(Plan::ring_steps());
            let all = (0..now).flat_map(|_| counting.iter().copied());
            let pending = self.submit_dispatches(all, state);
            self.wait(pending).await?;
            left -= now;
        }
        match &self.streamed {
            None => self.state.step = self.state.step.wrapping_add(steps),
            Some(streamed) => (0..steps).for_each(|_| streamed.order.advance(&mut self.state)),
        }
        Ok(())
    }
}
