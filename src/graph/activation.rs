//! An activation of its own, where no product's epilogue can take it, and the mean image of continuous logits.

use super::{Graph, Slice, Tensor};
use crate::Result;
use crate::kernels::activation::{Activate, Activation, Pass};
use crate::kernels::elementwise::{Elementwise, Function};

impl Graph {
    /// `f(x)`
    pub fn activation(&mut self, label: &str, x: Tensor, activation: Activation) -> Result<Tensor> {
        self.know(label, x)?;
        if activation == Activation::Identity {
            return Ok(x);
        }
        let kernel = Activate { count: x.count(), pass: Pass::Forward, activation, accumulate: false };
        let y = self.apply(label, &[x], x.shape(), kernel)?;
        let kept = self.value(if activation.keeps_input() { x } else { y });
        self.tensors[y.id].activation = Some((activation, kept));
        self.tensors[y.id].applied_to = Some(x);
        // What arrives has passed the slope into x's gradient.
        self.send_back([x], y, |_, _| Ok(()));
        Ok(y)
    }

    /// Records what makes `y` with the activation at its end, given all operands, and keeps the activation's input too where the
    /// slope needs it.
    pub(super) fn record_activated(
        &mut self,
        label: &str,
        y: Tensor,
        activation: Activation,
        mut operands: Vec<Slice>,
        record: impl FnOnce(&mut Self, &[Slice]) -> Result<()>,
    ) -> Result<()> {
        let mut kept = self.value(y);
        operands.push(kept);
        if activation.keeps_input() {
            kept = self.buffer(format!("{label} before {activation}"), y.count() as usize);
            operands.push(kept);
        }
        record(self, &operands)?;
        if activation != Activation::Identity {
            self.tensors[y.id].activation = Some((activation, kept));
        }
        Ok(())
    }

    /// The mean image of the logits of a continuous Bernoulli. It carries no gradient: it is for outputs.
    pub fn continuous_mean(&mut self, label: &str, logits: Tensor) -> Result<Tensor> {
        let function = Function::ContinuousMean;
        let kernel = Elementwise { count: logits.count(), function, accumulate: false };
        self.apply(label, &[logits], logits.shape(), kernel)
    }
}
