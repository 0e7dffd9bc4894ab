//! What a model minimizes: weighted loss terms that add up like the formula they come from.
//!
//! Each kind of term has its file here: what it holds, and how its value and gradient are recorded.

mod contraction;
mod gaussian_kl;
mod reconstruction;
mod sparsity;

pub use contraction::{contraction, projected_contraction};
pub use gaussian_kl::{free_bits_kl, gaussian_kl};
pub use reconstruction::{
    bernoulli_nll, continuous_bernoulli_nll, gaussian_nll, learned_gaussian_nll, squared_error,
};
pub use sparsity::{kl_sparsity, l1};

use std::fmt;
use std::ops::{Add, Mul};
use std::rc::Rc;

use super::plan::Phase;
use super::training::RING_STEPS;
use super::{Graph, Slice, Tensor};
use crate::kernels::record::{Collect, MeanToRing};
use crate::{Error, Result};

/// What the optimizer sees of the reconstruction. Reports are per image either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Summed over pixels, averaged over the images of a batch: the scale in which the ELBO is written.
    #[default]
    Image,
    /// Averaged over pixels too: the scale in which learning rates of plain autoencoders are quoted.
    Pixel,
}

/// One kind of loss term.
trait Term: fmt::Debug {
    /// The name of its column in the ring, and of its buffer in an evaluation.
    fn name(&self) -> &'static str;

    /// How many pixels [`Reduction::Pixel`] averages it over: 1 for what is no reconstruction.
    fn pixels(&self) -> u32 {
        1
    }

    /// Records the value of each image, unweighted, to `values` `[batch]`, and `scale` times the gradient of
    /// their sum. An evaluation, which needs no gradient, passes zero.
    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()>;
}

/// A sum of weighted loss terms: `bernoulli_nll(logits, x) + beta * gaussian_kl(code)`.
#[derive(Clone, Debug)]
#[must_use = "an objective does nothing until a graph minimizes it"]
pub struct Objective {
    terms: Vec<(f32, Rc<dyn Term>)>,
}

impl Objective {
    fn of(term: impl Term + 'static) -> Self {
        Self { terms: vec![(1.0, Rc::new(term))] }
    }
}

impl Add for Objective {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        self
    }
}

impl Mul<Objective> for f32 {
    type Output = Objective;

    fn mul(self, mut objective: Objective) -> Objective {
        for (weight, _) in &mut objective.terms {
            *weight *= self;
        }
        objective
    }
}

impl Graph {
    // Fails for a tensor that is not this graph's, or not one row an image of its batch.
    fn know_batch(&self, operation: &str, tensor: Tensor) -> Result<()> {
        self.know(operation, tensor)?;
        if tensor.rows == self.batch {
            return Ok(());
        }
        Err(Error::shape(operation, format!("a batch of {}", self.batch), tensor.rows))
    }

    /// Records the objective's terms with their gradients, then the whole backward pass.
    ///
    /// Each term's batch mean, unweighted and per image, goes to the ring buffer `ring`
    /// `[steps, terms]`, at the row of the step's number modulo [`Plan::ring_steps`](super::Plan::ring_steps).
    ///
    /// # Errors
    /// [`Error::Shape`] where predictions and targets do not fit each other or are of another graph;
    /// [`Error::Setting`] for a deviation that is not positive, and beyond what the kernels count.
    pub fn minimize(&mut self, objective: Objective, reduction: Reduction) -> Result<()> {
        self.enter(Phase::Loss);
        let width = objective.terms.len() as u32;
        let ring = self.buffer("ring", (RING_STEPS * width) as usize, true);
        self.name("ring", Slice { words: (RING_STEPS * width) as usize, ..ring });
        for (slot, (weight, term)) in (0..).zip(&objective.terms) {
            let values = self.buffer(format!("{} of each image", term.name()), self.batch as usize, false);
            let pixels = match reduction {
                Reduction::Pixel => term.pixels(),
                Reduction::Image => 1,
            };
            term.record(self, weight / (self.batch as f32 * pixels as f32), values)?;
            let mean = MeanToRing {
                count: self.batch,
                capacity: RING_STEPS,
                width,
                slot,
                scale: 1.0 / self.batch as f32,
            };
            let state = self.state();
            self.record(format!("mean {}", term.name()), mean, &[state, values, ring])?;
            self.terms.push(term.name().to_owned());
        }
        self.backward()
    }

    /// Records the objective's terms for an evaluation over `total` images: each term's value for each
    /// image, unweighted, goes to the buffer named after the term.
    ///
    /// # Errors
    /// As [`Graph::minimize`].
    pub fn evaluate(&mut self, objective: Objective, total: u32) -> Result<()> {
        self.enter(Phase::Loss);
        for (_, term) in &objective.terms {
            let values = self.buffer(format!("{} of each image", term.name()), self.batch as usize, false);
            term.record(self, 0.0, values)?;
            self.collect(term.name(), values, total)?;
            self.terms.push(term.name().to_owned());
        }
        Ok(())
    }

    /// Keeps the one number an image in `values` `[batch]` in the buffer `name` `[total]`, each at its image's place.
    pub(super) fn collect(&mut self, name: &str, values: Slice, total: u32) -> Result<()> {
        let per_image = self.buffer(name, total as usize, true);
        self.name(name, Slice { words: total as usize, ..per_image });
        let operands = [self.state(), values, per_image];
        self.record(format!("collect {name}"), Collect { batch: self.batch, total }, &operands)
    }
}
