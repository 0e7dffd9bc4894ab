//! What a model minimizes: weighted terms that add up like the formula they come from.
//!
//! A term is a number for each row, with a description for reports. Each kind has its file here.

mod contraction;
mod gaussian_kl;
mod log_ratio;
mod reconstruction;
mod record;
mod rows;
mod sparsity;

pub use contraction::{contraction, projected_contraction};
pub use gaussian_kl::{free_bits_kl, gaussian_kl};
pub use log_ratio::log_ratio;
pub use reconstruction::{
    bernoulli_nll, continuous_bernoulli_nll, gaussian_nll, learned_gaussian_nll, squared_error,
};
pub use sparsity::{kl_sparsity, l1};

use std::ops::{Add, Mul};
use std::rc::Rc;

use self::rows::{Computed, RowFunction};
use super::Tensor;
use crate::kernels::step::Warmup;

/// The description of a term, for metrics, reports and help texts.
#[derive(Clone, Debug, PartialEq)]
pub struct TermSpec {
    /// The name of its column, unique in the step: `reconstruction`, `kl`.
    pub name: String,
    /// Its unit: `nats`.
    pub unit: String,
    /// What a row's value is a sum over: `pixels`, `the code`.
    pub over: String,
    /// Its weight in the objective, once its warm-up is over.
    pub weight: f32,
    /// Divides the weight: the numbers per image where a reconstruction is averaged over them, else 1.
    pub averaged_over: u32,
    /// The setting of its weight, where there is one: `kl_weight`.
    pub setting: Option<String>,
    /// How the weight rises over the first steps.
    pub warmup: Warmup,
    /// Numbers per image, for a reconstruction; None for other terms.
    pub pixels: Option<u32>,
    /// Whether it is part of a bound on `-log p(x)`, in nats: the sum of such terms is the negative ELBO.
    pub bound: bool,
    /// Whether runs are ranked by it, as by a reconstruction: not so a loss in a game, which says nothing of quality.
    pub ranks: bool,
    /// The update that minimizes it.
    pub update: String,
    /// Every how many steps that update runs.
    pub every: u32,
}

/// A number for each row, with a weight and a description of itself.
#[derive(Clone, Debug)]
#[must_use = "a term does nothing until an update minimizes it"]
pub struct Term {
    spec: TermSpec,
    of: Rc<dyn RowFunction>,
}

impl Term {
    fn new(name: &str, unit: &str, over: &str, of: impl RowFunction + 'static) -> Self {
        let spec = TermSpec {
            name: name.to_owned(),
            unit: unit.to_owned(),
            over: over.to_owned(),
            weight: 1.0,
            averaged_over: 1,
            setting: None,
            warmup: Warmup::NONE,
            pixels: None,
            bound: false,
            ranks: true,
            update: String::new(),
            every: 1,
        };
        Self { spec, of: Rc::new(of) }
    }

    /// The same under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.spec.name = name.into();
        self
    }

    /// With this unit, and what each value is a sum over: `nats`, `the code`.
    pub fn counted_in(mut self, unit: impl Into<String>, over: impl Into<String>) -> Self {
        (self.spec.unit, self.spec.over) = (unit.into(), over.into());
        self
    }

    /// Multiplied by `weight`, the value of the setting of this name.
    pub fn weighted(mut self, weight: f32, setting: impl Into<String>) -> Self {
        self.spec.weight *= weight;
        self.spec.setting = Some(setting.into());
        self
    }

    /// With a weight that rises over the first steps.
    pub fn warmed_up(mut self, warmup: Warmup) -> Self {
        self.spec.warmup = warmup;
        self
    }

    /// Declares it a reconstruction of images of so many numbers: reports show it per pixel too.
    pub fn reconstructing(mut self, pixels: u32) -> Self {
        self.spec.pixels = Some(pixels);
        self
    }

    /// Averaged over the numbers of an image in the objective: the scale in which learning rates of plain autoencoders
    /// are quoted. Reports are per image either way.
    pub fn averaged_over_pixels(mut self) -> Self {
        self.spec.averaged_over = self.spec.pixels.unwrap_or(1);
        self
    }

    /// Declares it part of a bound on `-log p(x)`, whose parts must all be in nats.
    pub fn bounding(mut self) -> Self {
        self.spec.bound = true;
        self
    }

    /// Leaves it out of what runs are ranked by: a loss in a game, which says nothing of quality.
    pub fn unranked(mut self) -> Self {
        self.spec.ranks = false;
        self
    }

    /// Its description.
    pub fn spec(&self) -> &TermSpec {
        &self.spec
    }
}

impl Tensor {
    /// A term of this name whose values are the tensor's, `[rows, 1]`.
    pub fn term(self, name: impl Into<String>) -> Term {
        Term::new("", "", "", Computed { values: self }).named(name)
    }
}

/// A sum of weighted terms: `bernoulli_nll(logits, x) + beta * gaussian_kl(code)`.
#[derive(Clone, Debug)]
#[must_use = "an objective does nothing until an update minimizes it"]
pub struct Objective {
    terms: Vec<Term>,
}

impl Objective {
    /// Its terms.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }
}

impl From<Term> for Objective {
    fn from(term: Term) -> Self {
        Self { terms: vec![term] }
    }
}

impl<T: Into<Objective>> Add<T> for Objective {
    type Output = Self;

    fn add(mut self, other: T) -> Self {
        self.terms.extend(other.into().terms);
        self
    }
}

impl<T: Into<Objective>> Add<T> for Term {
    type Output = Objective;

    fn add(self, other: T) -> Objective {
        Objective::from(self) + other
    }
}

impl Mul<Term> for f32 {
    type Output = Term;

    fn mul(self, mut term: Term) -> Term {
        term.spec.weight *= self;
        term
    }
}

impl Mul<Objective> for f32 {
    type Output = Objective;

    fn mul(self, objective: Objective) -> Objective {
        Objective { terms: objective.terms.into_iter().map(|term| self * term).collect() }
    }
}
