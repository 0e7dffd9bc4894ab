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
    /// To train: updates take from this one what they leave out.
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

    /// Records one of several updates of the step. Optimizer and clipping are the run's where the update has none. As
    /// [`Graph::update`], and in an evaluation as [`Graph::evaluate`].
    pub fn update(&mut self, update: Update) -> Result<()> {
        match self.purpose {
            Purpose::Training(run) => self.graph.update(update.or(run)),
            Purpose::Evaluation => self.graph.evaluate_update(&update, self.total),
        }
    }

    /// Images of the data set that it goes over.
    pub fn images(&self) -> u32 {
        self.total
    }

    /// The training steps that make `epochs` passes over the data.
    ///
    /// # Errors
    /// [`Error::Setting`] for 2^32 steps or more.
    pub fn steps_of(&self, epochs: u32) -> Result<u32> {
        let images = u64::from(epochs) * u64::from(self.total);
        let steps = images.div_ceil(self.graph.whole_batch().max(1).into());
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
