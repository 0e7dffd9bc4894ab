//! What an activation makes of a small change: the product with its slope. The slope's gradient goes to what the
//! activation was applied to.

use super::tape::Links;
use super::{Graph, Tensor};
use crate::kernels::activation::{Activate, Activation, Pass};
use crate::kernels::hadamard::{Multiply, MultiplyBackward};
use crate::{Error, Result};

impl Graph {
    /// `t f'(z)` where `y = f(z)`: how a layer's activation passes on what changes its input by t. t has as many rows as
    /// y, or several per image: `[batch * n, columns]`.
    pub fn gate(&mut self, label: &str, t: Tensor, y: Tensor) -> Result<Tensor> {
        self.know(label, t)?;
        self.know(label, y)?;
        if t.columns != y.columns || y.rows == 0 || !t.rows.is_multiple_of(y.rows) {
            let expected = format!("rows of {} numbers, a multiple of {}", y.columns, y.rows);
            return Err(Error::shape(label, expected, format!("{:?}", t.shape())));
        }
        if self.tensors[y.id].activation.is_none() {
            return Ok(t);
        }
        let slopes = self.slope(&format!("{label} slopes"), y)?;
        self.hadamard(label, t, slopes)
    }

    // f'(z) of y = f(z). Its gradient goes to z.
    pub(super) fn slope(&mut self, label: &str, y: Tensor) -> Result<Tensor> {
        let linear = (Activation::Identity, self.value(y));
        let (activation, kept) = self.tensors[y.id].activation.unwrap_or(linear);
        let count = y.count();
        let kernel = Activate { count, pass: Pass::Slope, activation, accumulate: false };
        let s = self.make(label, &[kept], y.shape(), kernel)?;
        if activation.is_curved() {
            self.send_back(Links::bending(y), s, move |graph, ds| {
                let (dz, accumulate) = graph.preactivation_target(y);
                let label = format!("d {} through {activation}'s slope", graph.label(y));
                let kernel = Activate { count, pass: Pass::SlopeBackward, activation, accumulate };
                graph.record(label, kernel, &[kept, ds, dz])
            });
        }
        Ok(s)
    }

    // p s, with a row of s for each `p.rows / s.rows` rows of p.
    fn hadamard(&mut self, label: &str, p: Tensor, s: Tensor) -> Result<Tensor> {
        let (rows, columns, repeat) = (s.rows, s.columns, p.rows / s.rows);
        let kernel = move |accumulate| Multiply { rows, columns, repeat, accumulate };
        let y = self.apply(label, &[p, s], p.shape(), kernel(false))?;
        self.send_back([p, s], y, move |graph, dy| {
            let label = format!("d {}", graph.label(y));
            let [p_value, s_value] = [p, s].map(|tensor| graph.value(tensor));
            let (dp, accumulate) = graph.gradient_target(p);
            if !graph.needs_gradient(s) {
                return graph.record(label, kernel(accumulate), &[dy, s_value, dp]);
            }
            let (ds, accumulate_s) = graph.gradient_target(s);
            let kernel = MultiplyBackward { of: kernel(accumulate), accumulate_s };
            graph.record(label, kernel, &[p_value, s_value, dy, dp, ds])
        });
        Ok(y)
    }
}
