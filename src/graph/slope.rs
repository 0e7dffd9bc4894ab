//! What an activation makes of a small change: the product with its slope, and its way back to what the activation
//! was applied to.

use super::tape::Links;
use super::{Graph, Tensor};
use crate::kernels::activation::{Activate, Activation, Pass};
use crate::kernels::hadamard::{Multiply, MultiplyBackward};
use crate::{Error, Result};

impl Graph {
    /// `t f'(z)` where `y = f(z)`: how a layer's activation passes on what changes its input by t. Of `[batch,
    /// columns]`, or of several rows to an image, `[batch * n, columns]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where t and y do not fit or are of another graph.
    pub fn gate(&mut self, label: &str, t: Tensor, y: Tensor) -> Result<Tensor> {
        self.know(label, t)?;
        self.know(label, y)?;
        if t.columns != y.columns || y.rows == 0 || !t.rows.is_multiple_of(y.rows) {
            let expected = format!("rows of {} numbers, a multiple of {}", y.columns, y.rows);
            return Err(Error::shape(label, expected, format!("[{}, {}]", t.rows, t.columns)));
        }
        if self.tensors[y.id].activation.is_none() {
            return Ok(t);
        }
        let slopes = self.slope(&format!("{label} slopes"), y)?;
        self.hadamard(label, t, slopes)
    }

    // f'(z) of y = f(z), whose gradient goes on to z.
    pub(super) fn slope(&mut self, label: &str, y: Tensor) -> Result<Tensor> {
        let (activation, kept) =
            self.tensors[y.id].activation.unwrap_or((Activation::Identity, self.value(y)));
        let s = self.tensor(label, y.rows, y.columns);
        let count = y.count();
        let value = self.value(s);
        let kernel = Activate { count, pass: Pass::Slope, activation, accumulate: false };
        self.record(label, kernel, &[kept, value])?;
        if activation.is_curved() {
            self.push_backward(Links::new(&[], s).bending(y), move |graph| {
                let Some(ds) = graph.preactivation_gradient(s)? else { return Ok(()) };
                let (dz, accumulate) = graph.preactivation_target(y);
                let label = format!("d {} through {activation}'s slope", graph.label(y));
                let kernel = Activate { count, pass: Pass::SlopeBackward, activation, accumulate };
                graph.record(label, kernel, &[kept, ds, dz])
            });
        }
        Ok(s)
    }

    // p s, with a row of s to each `p.rows / s.rows` of p.
    fn hadamard(&mut self, label: &str, p: Tensor, s: Tensor) -> Result<Tensor> {
        let (rows, columns, repeat) = (s.rows, s.columns, p.rows / s.rows);
        let y = self.tensor(label, p.rows, p.columns);
        let operands = [self.value(p), self.value(s), self.value(y)];
        let kernel = Multiply { rows, columns, repeat, accumulate: false };
        self.record(label, kernel, &operands)?;
        self.push_backward(Links::new(&[p, s], y), move |graph| {
            let Some(dy) = graph.preactivation_gradient(y)? else { return Ok(()) };
            let label = format!("d {}", graph.label(y));
            let (p_value, s_value) = (graph.value(p), graph.value(s));
            let (dp, accumulate) = graph.gradient_target(p);
            if !graph.needs_gradient(s) {
                return graph.record(label, Multiply { accumulate, ..kernel }, &[dy, s_value, dp]);
            }
            let (ds, accumulate_s) = graph.gradient_target(s);
            let kernel = MultiplyBackward { of: Multiply { accumulate, ..kernel }, accumulate_s };
            graph.record(label, kernel, &[p_value, s_value, dy, dp, ds])
        });
        Ok(y)
    }
}
