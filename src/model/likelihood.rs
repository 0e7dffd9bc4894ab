//! What a decoder's output means: the loss that it is trained on, and the mean image.

use super::{LikelihoodKind, ModelConfig};
use crate::Result;
use crate::graph::{
    Graph, Init, Parameter, Tensor, Term, bernoulli_nll, continuous_bernoulli_nll, gaussian_nll,
    learned_gaussian_nll, squared_error,
};
use crate::reference::activation::Activation;

/// How reconstructions are judged.
#[derive(Clone, Debug, PartialEq)]
pub enum Likelihood {
    /// Independent Bernoulli pixels; the decoder gives logits.
    Bernoulli,
    /// Independent continuous Bernoulli pixels, a density on [0, 1]; the decoder gives logits.
    ContinuousBernoulli,
    /// Independent Gaussian pixels with this standard deviation; the decoder gives means.
    Gaussian(f32),
    /// Independent Gaussian pixels that share one learned variance.
    GaussianLearned(Parameter),
    /// The squared error, a Gaussian's up to scale and constant.
    SquaredError,
}

impl Likelihood {
    pub(super) fn declare(config: &ModelConfig, graph: &mut Graph, group: &str) -> Result<Self> {
        Ok(match config.likelihood {
            LikelihoodKind::Bernoulli => Self::Bernoulli,
            LikelihoodKind::ContinuousBernoulli => Self::ContinuousBernoulli,
            LikelihoodKind::Gaussian => Self::Gaussian(config.deviation()),
            LikelihoodKind::GaussianLearned => {
                let first = Init::Constant(config.first_log_variance());
                Self::GaussianLearned(graph.parameter_of(group, "log_variance", vec![1], first)?)
            }
            LikelihoodKind::SquaredError => Self::SquaredError,
        })
    }

    /// Whether its loss is the negative logarithm of a probability, so that there can be a bound on it.
    pub const fn is_probability(&self) -> bool {
        !matches!(self, Self::SquaredError)
    }

    /// The loss of the decoder's output on the images x: nats per image, or squared error per image.
    pub fn nll(&self, output: Tensor, x: Tensor) -> Term {
        match self {
            Self::Bernoulli => bernoulli_nll(output, x),
            Self::ContinuousBernoulli => continuous_bernoulli_nll(output, x),
            Self::Gaussian(deviation) => gaussian_nll(output, x, *deviation),
            Self::GaussianLearned(log_variance) => learned_gaussian_nll(output, x, log_variance),
            Self::SquaredError => squared_error(output, x),
        }
    }

    /// The mean image of the decoder's output.
    pub fn mean(&self, graph: &mut Graph, output: Tensor) -> Result<Tensor> {
        match self {
            Self::Bernoulli => graph.activation("mean image", output, Activation::Sigmoid),
            Self::ContinuousBernoulli => graph.continuous_mean("mean image", output),
            Self::Gaussian(_) | Self::GaussianLearned(_) | Self::SquaredError => Ok(output),
        }
    }
}
