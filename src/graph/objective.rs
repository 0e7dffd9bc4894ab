//! What a model minimizes: weighted loss terms that add up like the formula they come from.

use std::ops::{Add, Mul};

use super::build::PARAMETERS;
use super::plan::Phase;
use super::training::RING_STEPS;
use super::{GaussianCode, Graph, Jacobian, Parameter, Slice, Tensor};
use crate::kernels::latent::GaussianKl;
use crate::kernels::loss::{Kind, Loss};
use crate::kernels::record::{Collect, MeanToRing};
use crate::kernels::reduce::ColumnSum;
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

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Reconstruction { prediction: Tensor, target: Tensor, kind: Kind, log_variance: Option<Parameter> },
    Kl(GaussianCode),
    Contraction(Jacobian),
    Projection(Tensor),
}

/// A sum of weighted loss terms: `bernoulli_nll(logits, x) + beta * gaussian_kl(code)`.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an objective does nothing until a graph minimizes it"]
pub struct Objective {
    terms: Vec<(f32, Term)>,
}

impl From<Term> for Objective {
    fn from(term: Term) -> Self {
        Self { terms: vec![(1.0, term)] }
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

fn reconstruction(
    prediction: Tensor,
    target: Tensor,
    kind: Kind,
    log_variance: Option<Parameter>,
) -> Objective {
    Term::Reconstruction { prediction, target, kind, log_variance }.into()
}

/// `-log p(x)` of independent Bernoulli pixels with these logits, nats per image.
pub fn bernoulli_nll(logits: Tensor, x: Tensor) -> Objective {
    reconstruction(logits, x, Kind::Bernoulli, None)
}

/// `-log p(x)` of independent Gaussian pixels with a fixed standard deviation, nats per image.
pub fn gaussian_nll(mean: Tensor, x: Tensor, deviation: f32) -> Objective {
    reconstruction(mean, x, Kind::Gaussian { deviation }, None)
}

/// `-log p(x)` of independent Gaussian pixels that share one learned variance, nats per image.
pub fn learned_gaussian_nll(mean: Tensor, x: Tensor, log_variance: &Parameter) -> Objective {
    reconstruction(mean, x, Kind::GaussianLearned, Some(log_variance.clone()))
}

/// `sum (y - x)²` over the pixels of an image.
pub fn squared_error(y: Tensor, x: Tensor) -> Objective {
    reconstruction(y, x, Kind::SquaredError, None)
}

/// `KL(q(z|x) || N(0, 1)) = -1/2 sum(1 + logvar - mu² - exp(logvar))`, nats per image
/// (Kingma and Welling 2013, appendix B).
pub fn gaussian_kl(code: GaussianCode) -> Objective {
    Term::Kl(code).into()
}

/// `||J||² = sum of (dz_j / dx_i)²`, the squared Frobenius norm of the Jacobian, of each image (Rifai et al. 2011,
/// equation 2).
pub fn contraction(of: Jacobian) -> Objective {
    Term::Contraction(of).into()
}

/// `||t||²` of each image: with t the Jacobian's product with [`Graph::directions`], an estimate without bias of
/// [`contraction`].
pub fn projected_contraction(t: Tensor) -> Objective {
    Term::Projection(t).into()
}

impl Term {
    fn name(&self) -> &'static str {
        match self {
            Self::Reconstruction { .. } => "reconstruction",
            Self::Kl(_) => "kl",
            Self::Contraction(_) | Self::Projection(_) => "contraction",
        }
    }

    fn carrier(&self) -> Tensor {
        match self {
            Self::Reconstruction { prediction, .. } => *prediction,
            Self::Kl(code) => code.stats,
            Self::Contraction(of) => of.left.tensor(),
            Self::Projection(t) => *t,
        }
    }

    // Whether prediction, target and parameter fit each other and the graph.
    fn check(&self, graph: &Graph) -> Result<()> {
        let carrier = self.carrier();
        graph.know(self.name(), carrier)?;
        if carrier.rows != graph.batch && !matches!(self, Self::Contraction(_)) {
            return Err(Error::shape(self.name(), format!("a batch of {}", graph.batch), carrier.rows));
        }
        let Self::Reconstruction { target, log_variance, .. } = self else { return Ok(()) };
        graph.know(self.name(), *target)?;
        let shape = |tensor: &Tensor| format!("[{}, {}]", tensor.rows, tensor.columns);
        if (target.rows, target.columns) != (carrier.rows, carrier.columns) {
            return Err(Error::shape(self.name(), format!("images {}", shape(&carrier)), shape(target)));
        }
        let Some(parameter) = log_variance else { return Ok(()) };
        graph.know_parameter(self.name(), parameter)?;
        if parameter.len() == 1 {
            return Ok(());
        }
        Err(Error::shape(self.name(), "one shared log variance", format!("{:?}", parameter.shape)))
    }

    // Records value and gradient; the value of each image goes to `values`, unweighted.
    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        self.check(graph)?;
        match self {
            Self::Contraction(of) => return graph.record_contraction(of, scale, values),
            Self::Projection(t) => return graph.record_squared_norm(*t, scale, values),
            _ => {}
        }
        let (rows, columns) = (self.carrier().rows, self.carrier().columns);
        let carrier = graph.value(self.carrier());
        let (gradient, accumulate) = graph.gradient_target(self.carrier());
        match self {
            Self::Contraction(_) | Self::Projection(_) => Ok(()),
            Self::Kl(code) => {
                let kernel = GaussianKl { rows, latent: code.latent(), scale, accumulate };
                graph.record("kl, value and gradient", kernel, &[carrier, values, gradient])
            }
            Self::Reconstruction { target, kind, log_variance, .. } => {
                let kernel = Loss { rows, columns, kind: *kind, scale, accumulate };
                let label = "reconstruction, value and gradient";
                let target = graph.value(*target);
                let Some(parameter) = log_variance else {
                    return graph.record(label, kernel, &[carrier, target, values, gradient]);
                };
                let each = graph.buffer("d log_variance of each image", rows as usize, false);
                let log_variance = parameter.slice(PARAMETERS);
                graph.record(label, kernel, &[carrier, target, log_variance, values, gradient, each])?;
                let (gradient, accumulate) = graph.parameter_gradient(parameter);
                let sum = ColumnSum { accumulate, ..ColumnSum::whole(rows, 1) };
                graph.record("d log_variance", sum, &[each, gradient])
            }
        }
    }
}

impl Graph {
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
            let pixels = match (reduction, term) {
                (Reduction::Pixel, Term::Reconstruction { prediction, .. }) => prediction.columns,
                _ => 1,
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
            let per_image = self.buffer(term.name(), total as usize, true);
            self.name(term.name(), Slice { words: total as usize, ..per_image });
            let state = self.state();
            let collect = Collect { batch: self.batch, total };
            self.record(format!("collect {}", term.name()), collect, &[state, values, per_image])?;
            self.terms.push(term.name().to_owned());
        }
        Ok(())
    }
}
