//! How well predictions explain images, by any likelihood.

use super::{Objective, Term};
use crate::graph::build::PARAMETERS;
use crate::graph::{Graph, Parameter, Slice, Tensor};
use crate::kernels::Gradient;
use crate::kernels::loss::{Kind, Loss};
use crate::kernels::reduce::ColumnSum;
use crate::{Error, Result};

#[derive(Debug)]
struct Reconstruction {
    prediction: Tensor,
    target: Tensor,
    kind: Kind,
    log_variance: Option<Parameter>,
}

fn reconstruction(prediction: Tensor, target: Tensor, kind: Kind) -> Objective {
    Objective::of(Reconstruction { prediction, target, kind, log_variance: None })
}

/// `-log p(x)` of independent Bernoulli pixels with these logits, nats per image.
pub fn bernoulli_nll(logits: Tensor, x: Tensor) -> Objective {
    reconstruction(logits, x, Kind::Bernoulli)
}

/// `-log p(x)` of independent continuous Bernoulli pixels with these logits, nats per image: a density on [0, 1]
/// (Loaiza-Ganem and Cunningham 2019).
pub fn continuous_bernoulli_nll(logits: Tensor, x: Tensor) -> Objective {
    reconstruction(logits, x, Kind::ContinuousBernoulli)
}

/// `-log p(x)` of independent Gaussian pixels with a fixed standard deviation, nats per image.
pub fn gaussian_nll(mean: Tensor, x: Tensor, deviation: f32) -> Objective {
    reconstruction(mean, x, Kind::Gaussian { deviation })
}

/// `-log p(x)` of independent Gaussian pixels that share one learned variance, nats per image.
pub fn learned_gaussian_nll(mean: Tensor, x: Tensor, log_variance: &Parameter) -> Objective {
    let log_variance = Some(log_variance.clone());
    Objective::of(Reconstruction { prediction: mean, target: x, kind: Kind::GaussianLearned, log_variance })
}

/// `sum (y - x)²` over the pixels of an image.
pub fn squared_error(y: Tensor, x: Tensor) -> Objective {
    reconstruction(y, x, Kind::SquaredError)
}

impl Reconstruction {
    // Whether prediction, target and parameter fit each other and the graph.
    fn check(&self, graph: &Graph) -> Result<()> {
        let Self { prediction, target, log_variance, .. } = self;
        graph.know_batch(self.name(), *prediction)?;
        graph.know(self.name(), *target)?;
        let shape = |tensor: &Tensor| format!("[{}, {}]", tensor.rows, tensor.columns);
        if (target.rows, target.columns) != (prediction.rows, prediction.columns) {
            return Err(Error::shape(self.name(), format!("images {}", shape(prediction)), shape(target)));
        }
        let Some(parameter) = log_variance else { return Ok(()) };
        graph.know_parameter(self.name(), parameter)?;
        if parameter.len() == 1 {
            return Ok(());
        }
        Err(Error::shape(self.name(), "one shared log variance", format!("{:?}", parameter.shape)))
    }
}

impl Term for Reconstruction {
    fn name(&self) -> &'static str {
        "reconstruction"
    }

    fn pixels(&self) -> u32 {
        self.prediction.columns
    }

    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        self.check(graph)?;
        let Self { prediction, target, kind, log_variance } = self;
        let (rows, columns) = (prediction.rows, prediction.columns);
        let (y, x) = (graph.value(*prediction), graph.value(*target));
        let (gradient, accumulate) = graph.gradient_target(*prediction);
        let kernel = Loss { rows, columns, kind: *kind, gradient: Some(Gradient { scale, accumulate }) };
        let label = "reconstruction, value and gradient";
        let Some(parameter) = log_variance else {
            return graph.record(label, kernel, &[y, x, values, gradient]);
        };
        let each = graph.buffer("d log_variance of each image", rows as usize, false);
        let log_variance = parameter.slice(PARAMETERS);
        graph.record(label, kernel, &[y, x, log_variance, values, gradient, each])?;
        let (gradient, accumulate) = graph.parameter_gradient(parameter);
        let sum = ColumnSum { accumulate, ..ColumnSum::whole(rows, 1) };
        graph.record("d log_variance", sum, &[each, gradient])
    }
}
