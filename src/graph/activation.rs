//! An activation on its own, where no product's epilogue can take it, and the mean that continuous logits stand for.

use super::tape::Links;
use super::{Graph, Tensor};
use crate::Result;
use crate::kernels::activation::{Activate, Activation, Pass};
use crate::kernels::elementwise::{Elementwise, Function};

impl Graph {
    /// `f(x)`
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for a tensor of another graph.
    pub fn activation(&mut self, label: &str, x: Tensor, activation: Activation) -> Result<Tensor> {
        self.know(label, x)?;
        if activation == Activation::Identity {
            return Ok(x);
        }
        let y = self.tensor(label, x.rows, x.columns);
        let [before, after] = [self.value(x), self.value(y)];
        let count = x.count();
        let kernel = Activate { count, pass: Pass::Forward, activation, accumulate: false };
        self.record(label, kernel, &[before, after])?;
        let kept = if activation.keeps_input() { before } else { after };
        self.tensors[y.id].activation = Some((activation, kept));
        self.tensors[y.id].applied_to = Some(x);
        self.push_backward(Links::new(&[x], y), move |graph| graph.preactivation_gradient(y).map(drop));
        Ok(y)
    }

    /// The mean image that the logits of a continuous Bernoulli stand for. Carries no gradient: for outputs.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for a tensor of another graph.
    pub fn continuous_mean(&mut self, label: &str, logits: Tensor) -> Result<Tensor> {
        self.know(label, logits)?;
        let mean = self.tensor(label, logits.rows, logits.columns);
        let operands = [self.value(logits), self.value(mean)];
        let (count, function) = (logits.count(), Function::ContinuousMean);
        self.record(label, Elementwise { count, function, accumulate: false }, &operands)?;
        Ok(mean)
    }
}
