//! What a model minimizes: weighted terms that add up like the formula they come from.
//!
//! A term is a number for each row, and what reports need to know of it. Each kind has its file here: what it holds, and
//! how its values and gradients are recorded.

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

/// What a term says of itself: all that metrics, reports and help texts know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct TermSpec {
    /// The name of its column, which tells it from the step's other terms: `reconstruction`, `kl`.
    pub name: String,
    /// What it is counted in: `nats`.
    pub unit: String,
    /// What a row's value is a sum over: `pixels`, `the code`.
    pub over: String,
    /// What it is multiplied by in what is minimized, once its warm-up is over.
    pub weight: f32,
    /// What else that is divided by: the numbers of an image where a reconstruction is averaged over them, else 1.
    pub averaged_over: u32,
    /// The setting that is its weight, where there is one: `kl_weight`.
    pub setting: Option<String>,
    /// How the weight comes in.
    pub warmup: Warmup,
    /// The numbers of an image that it is a reconstruction of; None of other terms.
    pub pixels: Option<u32>,
    /// Whether it is a part of a bound on `-log p(x)`, in nats: the sum of these is the negative ELBO.
    pub bound: bool,
    /// The update that minimizes it, and every how many steps that runs.
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

    /// What its values are counted in, and what each is a sum over: `nats`, `the code`.
    pub fn counted_in(mut self, unit: impl Into<String>, over: impl Into<String>) -> Self {
        (self.spec.unit, self.spec.over) = (unit.into(), over.into());
        self
    }

    /// Multiplied by `weight`, which the setting of this name is.
    pub fn weighted(mut self, weight: f32, setting: impl Into<String>) -> Self {
        self.spec.weight *= weight;
        self.spec.setting = Some(setting.into());
        self
    }

    /// With a weight that comes in over the first steps.
    pub fn warmed_up(mut self, warmup: Warmup) -> Self {
        self.spec.warmup = warmup;
        self
    }

    /// Declares it a reconstruction of images of so many numbers, and so reported by pixel too.
    pub fn reconstructing(mut self, pixels: u32) -> Self {
        self.spec.pixels = Some(pixels);
        self
    }

    /// Averaged over the numbers of an image, in what is minimized: the scale in which learning rates of plain
    /// autoencoders are quoted. Reports are per image either way.
    pub fn averaged_over_pixels(mut self) -> Self {
        self.spec.averaged_over = self.spec.pixels.unwrap_or(1);
        self
    }

    /// Declares it a part of a bound on `-log p(x)`: the parts are all in nats, or there is none.
    pub fn bounding(mut self) -> Self {
        self.spec.bound = true;
        self
    }

    /// What it says of itself.
    pub fn spec(&self) -> &TermSpec {
        &self.spec
    }
}

impl Tensor {
    /// A term of this name that has a row's number as its value, of `[rows, 1]`.
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
