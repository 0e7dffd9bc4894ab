//! How well predictions explain images, by any likelihood.

use super::Term;
use super::rows::{RowFunction, Upstream};
use crate::graph::{Graph, Parameter, Slice, Tensor};
use crate::kernels::hadamard::Multiply;
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

fn reconstruction(prediction: Tensor, target: Tensor, kind: Kind, log_variance: Option<Parameter>) -> Term {
    let unit = if kind == Kind::SquaredError { "squared error" } else { "nats" };
    let of = Reconstruction { prediction, target, kind, log_variance };
    Term::new("reconstruction", unit, "pixels", of).reconstructing(prediction.columns)
}

/// `-log p(x)` of independent Bernoulli pixels with these logits, nats per image.
pub fn bernoulli_nll(logits: Tensor, x: Tensor) -> Term {
    reconstruction(logits, x, Kind::Bernoulli, None)
}

/// `-log p(x)` of independent continuous Bernoulli pixels with these logits, nats per image: a density on [0, 1]
/// (Loaiza-Ganem and Cunningham 2019).
pub fn continuous_bernoulli_nll(logits: Tensor, x: Tensor) -> Term {
    reconstruction(logits, x, Kind::ContinuousBernoulli, None)
}

/// `-log p(x)` of independent Gaussian pixels with a fixed standard deviation, nats per image.
pub fn gaussian_nll(mean: Tensor, x: Tensor, deviation: f32) -> Term {
    reconstruction(mean, x, Kind::Gaussian { deviation }, None)
}

/// `-log p(x)` of independent Gaussian pixels that share one learned variance, nats per image.
pub fn learned_gaussian_nll(mean: Tensor, x: Tensor, log_variance: &Parameter) -> Term {
    reconstruction(mean, x, Kind::GaussianLearned, Some(log_variance.clone()))
}

/// `sum (y - x)²` over the pixels of an image.
pub fn squared_error(y: Tensor, x: Tensor) -> Term {
    reconstruction(y, x, Kind::SquaredError, None)
}

impl RowFunction for Reconstruction {
    fn operand(&self) -> Tensor {
        self.prediction
    }

    fn parameters(&self) -> Vec<&Parameter> {
        self.log_variance.iter().collect()
    }

    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        let Self { prediction, target, log_variance, .. } = self;
        graph.know_alike(name, *prediction, *target)?;
        if let Some(parameter) = log_variance {
            graph.know_parameter(name, parameter)?;
            if parameter.len() != 1 {
                return Err(Error::shape(name, "one shared log variance", format!("{:?}", parameter.shape)));
            }
        }
        Ok(prediction.rows)
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let Self { prediction, target: x, kind, .. } = *self;
        let Tensor { rows, columns, .. } = prediction;
        let reads = [graph.value(prediction), graph.value(x)];
        let kernel = |gradient| Loss { rows, columns, kind, gradient };
        let Some(parameter) = &self.log_variance else {
            return graph.record_rows(name, (prediction, rows), upstream, &reads, kernel);
        };
        let values = graph.buffer(format!("{name} of each row"), rows as usize);
        let operands = [&reads[..], &[graph.place(parameter), values]].concat();
        graph.send_rows(name, (prediction, rows, &[parameter]), upstream, |graph, target| {
            let Some(target) = target else { return graph.record_value(name, kernel, &operands, target) };
            let label = format!("d {} of each row", parameter.name);
            let mut each = graph.buffer(&label, rows as usize);
            let operands = [&operands[..], &[target.slice, each]].concat();
            graph.record(format!("{name}, value and gradient"), kernel(Some(target.gradient)), &operands)?;
            if let Some(weights) = target.weights {
                let kernel = Multiply::rows(rows, 1, false);
                each = graph.interim(label, rows as usize, &[each, weights], kernel)?;
            }
            let Some((gradient, accumulate)) = graph.parameter_gradient(parameter)? else { return Ok(()) };
            let sum = ColumnSum { accumulate, ..ColumnSum::whole(rows, 1) };
            graph.record(format!("d {}", parameter.name), sum, &[each, gradient])
        })?;
        Ok(values)
    }
}
