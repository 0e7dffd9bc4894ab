//! Recording a number for each row: its values alone, or with their gradients.

use std::fmt;

use crate::graph::{Graph, Parameter, Slice, Tensor};
use crate::kernels::elementwise::{Elementwise, Function};
use crate::kernels::hadamard::Multiply;
use crate::kernels::rows::Repeat;
use crate::kernels::{Gradient, Kernel};
use crate::{Error, Result};

/// The gradient that arrives at the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Upstream {
    /// None: values alone.
    None,
    /// The same for each row, and, while the term's weight comes in, times the share `[1]` that counts by now. It is
    /// part of the dispatch that makes the values.
    Constant { scale: f32, share: Option<Slice> },
    /// One of each row, `[rows]`.
    Rows(Slice),
}

/// The gradient that a dispatch writes beside the values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Its scale multiplies the gradient of a row's value.
    pub(super) gradient: Gradient,
    pub(super) slice: Slice,
    /// What each row's gradient is still to be multiplied by, `[rows]`.
    pub(super) weights: Option<Slice>,
}

/// A function with a number for each row of a batch.
pub(super) trait RowFunction: fmt::Debug {
    /// The tensor that it sends a gradient.
    fn operand(&self) -> Tensor;

    /// The parameters that it sends a gradient.
    fn parameters(&self) -> Vec<&Parameter> {
        Vec::new()
    }

    /// How many rows.
    ///
    /// # Errors
    /// [`Error::Shape`] where its tensors do not fit each other, or are of another graph.
    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know(name, self.operand())?;
        Ok(self.operand().rows)
    }

    /// Records the values `[rows]` and the gradients; returns where the values are.
    fn record(&self, graph: &mut Graph, name: &str, upstream: Upstream) -> Result<Slice>;
}

/// A tensor `[rows, 1]` that the graph made.
#[derive(Debug)]
pub(super) struct Computed {
    pub(super) values: Tensor,
}

impl RowFunction for Computed {
    fn operand(&self) -> Tensor {
        self.values
    }

    fn rows(&self, graph: &Graph, name: &str) -> Result<u32> {
        graph.know(name, self.values)?;
        if self.values.columns == 1 {
            return Ok(self.values.rows);
        }
        let got = format!("{:?}", self.values.shape());
        Err(Error::shape(name, "a number for each row, [rows, 1]", got))
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

impl Graph {
    /// Records a kernel that makes a term's values `[rows]` of what it reads, and the gradient of `operand` where that is
    /// wanted; returns the values.
    pub(super) fn record_rows<K: Kernel + 'static>(
        &mut self,
        name: &str,
        (operand, rows): (Tensor, u32),
        upstream: Upstream,
        reads: &[Slice],
        kernel: impl Fn(Option<Gradient>) -> K,
    ) -> Result<Slice> {
        let values = self.buffer(format!("{name} of each row"), rows as usize);
        let operands = [reads, &[values]].concat();
        self.send_rows(name, (operand, rows, &[]), upstream, |graph, target| {
            graph.record_value(name, &kernel, &operands, target)
        })?;
        Ok(values)
    }

    /// Records a kernel that writes values, and behind them the gradient where there is a target.
    pub(super) fn record_value<K: Kernel + 'static>(
        &mut self,
        name: &str,
        kernel: impl Fn(Option<Gradient>) -> K,
        operands: &[Slice],
        target: Option<Target>,
    ) -> Result<()> {
        let gradient = if target.is_some() { " and gradient" } else { "" };
        let operands: Vec<Slice> = operands.iter().copied().chain(target.map(|to| to.slice)).collect();
        self.record(format!("{name}, value{gradient}"), kernel(target.map(|to| to.gradient)), &operands)
    }

    /// Records a dispatch that makes values `[rows]` and the gradient of `operand`, which has as many numbers for each
    /// row, or values alone where neither it nor one of `parameters` wants a gradient. Gradients that arrive row by row
    /// are multiplied with the gradient that the dispatch makes of a one.
    pub(super) fn send_rows(
        &mut self,
        name: &str,
        (operand, rows, parameters): (Tensor, u32, &[&Parameter]),
        upstream: Upstream,
        record: impl FnOnce(&mut Self, Option<Target>) -> Result<()>,
    ) -> Result<()> {
        let needed = self.needs_gradient(operand);
        if !needed && !parameters.iter().any(|parameter| self.moves(parameter)) {
            return record(self, None);
        }
        let label = format!("d {} by {name}", self.label(operand));
        let weights = match upstream {
            Upstream::None => return record(self, None),
            Upstream::Rows(weights) => weights,
            Upstream::Constant { scale, share: Some(share) } => {
                let kernel = Repeat { rows: 1, columns: 1, times: rows, scale, accumulate: false };
                self.interim(format!("weight of {name}"), rows as usize, &[share], kernel)?
            }
            Upstream::Constant { scale, share: None } => {
                let (slice, accumulate) = match needed {
                    true => self.gradient_target(operand),
                    false => (self.buffer(label, operand.count() as usize), false),
                };
                let gradient = Gradient { scale, accumulate };
                return record(self, Some(Target { gradient, slice, weights: None }));
            }
        };
        let slice = self.buffer(format!("{label}, of one"), operand.count() as usize);
        let gradient = Gradient { scale: 1.0, accumulate: false };
        record(self, Some(Target { gradient, slice, weights: Some(weights) }))?;
        if !needed {
            return Ok(());
        }
        let (target, accumulate) = self.gradient_target(operand);
        let kernel = Multiply::rows(rows, operand.count() / rows.max(1), accumulate);
        self.record(label, kernel, &[slice, weights, target])
    }
}
