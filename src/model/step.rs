//! A step of a model: recorded as a training step, or as an evaluation of the same terms.

use std::ops::{Deref, DerefMut};

use crate::graph::{Graph, Objective, Update};
use crate::{Error, Result};

/// A graph in which a variant says what it minimizes. In training each update moves its groups; in an evaluation its
/// terms are kept for each image, and nothing moves.
pub struct Step<'a> {
    graph: &'a mut Graph,
    purpose: Purpose<'a>,
    total: u32,
}

/// What a step is recorded for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose<'a> {
    /// To train, by updates that say what this one does where they do not say it themselves.
    Training(&'a Update),
    /// To evaluate.
    Evaluation,
}

impl<'a> Step<'a> {
    pub(super) fn new(graph: &'a mut Graph, purpose: Purpose<'a>, total: u32) -> Self {
        Self { graph, purpose, total }
    }

    /// Minimizes the objective by moving all groups, with the run's optimizer.
    pub fn minimize(&mut self, objective: impl Into<Objective>) -> Result<()> {
        self.update(Update::default().minimize(objective))
    }

    /// One of several things that a step does. What the update does not say itself, optimizer and clipping, is the run's.
    pub fn update(&mut self, update: Update) -> Result<()> {
        match self.purpose {
            Purpose::Training(run) => self.graph.update(update.or(run)),
            Purpose::Evaluation => self.graph.evaluate_update(&update, self.total),
        }
    }

    /// The training steps that make `epochs` passes over the data.
    ///
    /// # Errors
    /// [`Error::Setting`] for more than 32 bits count.
    pub fn steps_of(&self, epochs: u32) -> Result<u32> {
        let steps =
            (u64::from(epochs) * u64::from(self.total)).div_ceil(u64::from(self.graph.batch_size().max(1)));
        u32::try_from(steps).map_err(|_| Error::setting("epochs", "fewer than 2^32 steps", steps))
    }
}

impl Deref for Step<'_> {
    type Target = Graph;

    fn deref(&self) -> &Graph {
        self.graph
    }
}

impl DerefMut for Step<'_> {
    fn deref_mut(&mut self) -> &mut Graph {
        self.graph
    }
}
