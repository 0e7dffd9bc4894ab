//! How a number for each row is recorded: its values alone, or with the gradient for whatever stands behind it.

use std::fmt;

use crate::graph::{Graph, Parameter, Slice, Tensor};
use crate::kernels::elementwise::{Elementwise, Function};
use crate::kernels::hadamard::Multiply;
use crate::kernels::rows::Repeat;
use crate::kernels::{Gradient, Kernel};
use crate::{Error, Result};

/// The gradient that arrives at the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::graph) enum Upstream {
    /// None: values alone.
    None,
    /// The same for each row, and, while the term's weight comes in, times the share `[1]` that counts by now. It is
    /// part of the dispatch that makes the values.
    Constant { scale: f32, share: Option<Slice> },
    /// One of each row, `[rows]`.
    Rows(Slice),
}

/// The gradient that a dispatch writes beside the values: `scale` times that of a row's value by what it is made of.
#[derive(Clone, Copy, Debug)]
pub(in crate::graph) struct Target {
    pub(in crate::graph) scale: f32,
    pub(in crate::graph) accumulate: bool,
    pub(in crate::graph) slice: Slice,
}

/// A function with a number for each row of a batch.
pub(in crate::graph) trait RowFunction: fmt::Debug {
    /// How many rows.
    ///
    /// # Errors
    /// [`Error::Shape`] where its operands do not fit each other, or are of another graph.
    fn rows(&self, graph: &Graph, name: &str) -> Result<u32>;

    /// The tensors that it sends a gradient.
    fn operands(&self) -> Vec<Tensor>;

    /// The parameters that it sends a gradient.
    fn parameters(&self) -> Vec<&Parameter> {
        Vec::new()
    }

    /// Records the values `[rows]` and the gradients; says where the values are.
    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice>;
}

/// A tensor `[rows, 1]` that the graph made.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) values: Tensor,
}

impl RowFunction for Computed {
    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know(name, self.values)?;
        if self.values.columns == 1 {
            return Ok(self.values.rows);
        }
        let got = format!("[{}, {}]", self.values.rows, self.values.columns);
        Err(Error::shape(name, "a number for each row, [rows, 1]", got))
    }

    fn operands(&self) -> Vec<Tensor> {
        vec![self.values]
    }

    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice> {
        let (values, count) = (graph.value(self.values), self.values.rows);
        if upstream == Upstream::None || !graph.needs_gradient(self.values) {
            return Ok(values);
        }
        let (gradient, accumulate) = graph.gradient_target(self.values);
        let label = format!("d {name}");
        match upstream {
            Upstream::Rows(rows) => {
                let kernel = Elementwise { count, function: Function::Affine { a: 1.0, b: 0.0 }, accumulate };
                graph.record(label, kernel, &[rows, gradient])?;
            }
            Upstream::Constant { scale, share: Some(share) } => {
                let kernel = Repeat { rows: 1, columns: 1, times: count, scale, accumulate };
                graph.record(label, kernel, &[share, gradient])?;
            }
            Upstream::Constant { scale, share: None } => {
                let kernel =
                    Elementwise { count, function: Function::Affine { a: 0.0, b: scale }, accumulate };
                graph.record(label, kernel, &[values, gradient])?;
            }
            Upstream::None => {}
        }
        Ok(values)
    }
}

impl Target {
    /// As the kernels take it.
    pub(in crate::graph) fn gradient(self) -> Gradient {
        Gradient { scale: self.scale, accumulate: self.accumulate }
    }
}

impl Graph {
    /// Records a kernel that writes values, and behind them the gradient where there is a target.
    pub(in crate::graph) fn record_value(
        &mut self,
        name: &str,
        kernel: impl Kernel + 'static,
        operands: &[Slice],
        target: Option<Target>,
    ) -> Result<()> {
        let gradient = if target.is_some() { " and gradient" } else { "" };
        let operands: Vec<Slice> = operands.iter().copied().chain(target.map(|to| to.slice)).collect();
        self.record(format!("{name}, value{gradient}"), kernel, &operands)
    }

    /// Records a dispatch that makes values `[rows]` and the gradient of `operand`, as many numbers of it to each row, or
    /// values alone where neither it nor one of `parameters` wants any. What arrives row by row is multiplied with the gradient that the dispatch makes of a one.
    pub(in crate::graph) fn send_rows(
        &mut self,
        name: &str,
        (operand, rows, parameters): (Tensor, u32, &[&Parameter]),
        upstream: Upstream,
        mut record: impl FnMut(&mut Self, Option<Target>, Option<Slice>) -> Result<()>,
    ) -> Result<()> {
        let needed = self.needs_gradient(operand);
        if !needed && !parameters.iter().any(|parameter| self.moves(parameter)) {
            return record(self, None, None);
        }
        let label = format!("d {} by {name}", self.label(operand));
        let weights = match upstream {
            Upstream::None => return record(self, None, None),
            Upstream::Rows(weights) => weights,
            Upstream::Constant { scale, share: Some(share) } => {
                let weights = self.buffer(format!("weight of {name}"), rows as usize, false);
                let kernel = Repeat { rows: 1, columns: 1, times: rows, scale, accumulate: false };
                self.record(format!("weight of {name}"), kernel, &[share, weights])?;
                weights
            }
            Upstream::Constant { scale, share: None } if needed => {
                let (slice, accumulate) = self.gradient_target(operand);
                return record(self, Some(Target { scale, accumulate, slice }), None);
            }
            Upstream::Constant { scale, share: None } => {
                let slice = self.buffer(label, operand.count() as usize, false);
                return record(self, Some(Target { scale, accumulate: false, slice }), None);
            }
        };
        let slice = self.buffer(format!("{label}, of one"), operand.count() as usize, false);
        record(self, Some(Target { scale: 1.0, accumulate: false, slice }), Some(weights))?;
        if !needed {
            return Ok(());
        }
        let (target, accumulate) = self.gradient_target(operand);
        let kernel = Multiply::rows(rows, operand.count() / rows.max(1), accumulate);
        self.record(label, kernel, &[slice, weights, target])
    }
}
