//! Tensors put together, taken apart, passed on without their gradient, and drawn.

use super::algebra::affine;
use super::tape::Links;
use super::tensor::counted;
use super::{Graph, Parameter, StoreKind, Tensor};
use crate::kernels::columns::{Block, CopyColumns};
use crate::kernels::random::{Distribution, Numbers};
use crate::rng::Stream;
use crate::{Error, Result};

impl Graph {
    /// The same numbers, through which no gradient passes. Costs nothing.
    pub fn detach(&mut self, x: Tensor) -> Result<Tensor> {
        self.know("detach", x)?;
        let label = format!("{} detached", self.label(x));
        Ok(self.tensor_at(label, x.shape(), self.value(x)))
    }

    /// A parameter or a slot as a tensor `[first extent, product of the others]`, or `[1, extent]`. The gradient goes to the
    /// parameter; a slot has none. Costs nothing forward.
    ///
    /// The way back reads the numbers again. If an operation changes the slot in the same step, read it behind that
    /// operation only.
    pub fn tensor_of(&mut self, parameter: &Parameter) -> Result<Tensor> {
        let kinds = [StoreKind::Parameters, StoreKind::Statistics];
        self.know_slot("tensor of a parameter", parameter, &kinds, "parameter or slot")?;
        let extents = parameter.shape.iter().map(|extent| u32::try_from(*extent).unwrap_or(u32::MAX));
        let extents: Vec<u32> = extents.collect();
        let rows = if let [rows, _, ..] = extents[..] { rows } else { 1 };
        let columns = counted(&parameter.name, &extents)?.checked_div(rows).unwrap_or(0);
        let x = self.tensor_at(parameter.name.clone(), [rows, columns], self.place(parameter));
        let (links, parameter) = (Links::of(&[]).through(&[parameter]), parameter.clone());
        self.send_back(links, x, move |graph, dx| {
            let Some((target, accumulate)) = graph.parameter_gradient(&parameter)? else { return Ok(()) };
            graph.record(format!("d {}", parameter.name), affine(x, 1.0, 0.0, accumulate), &[dx, target])
        });
        Ok(x)
    }

    /// The same numbers, row by row, in rows of another length. Costs nothing forward.
    pub fn reshape(&mut self, x: Tensor, rows: u32, columns: u32) -> Result<Tensor> {
        self.know("reshape", x)?;
        if rows.checked_mul(columns) != Some(x.count()) {
            let expected = format!("{} numbers", x.count());
            return Err(Error::shape("reshape", expected, format!("[{rows}, {columns}]")));
        }
        let y = self.tensor_at(self.label(x), [rows, columns], self.value(x));
        self.send_back([x], y, move |graph, dy| graph.add_to(x, dy, 1.0));
        Ok(y)
    }

    /// The value of `value`, whose gradient goes to `gradient_to` as it is: the straight-through estimator (Bengio et al.
    /// 2013, section 4; van den Oord et al. 2017, section 3.2). Costs nothing forward.
    pub fn straight_through(&mut self, value: Tensor, gradient_to: Tensor) -> Result<Tensor> {
        self.know_alike("straight through", value, gradient_to)?;
        let label = format!("{} straight through", self.label(value));
        let y = self.tensor_at(label, value.shape(), self.value(value));
        self.send_back([gradient_to], y, move |graph, dy| graph.add_to(gradient_to, dy, 1.0));
        Ok(y)
    }

    /// Tensors side by side: `[rows, columns of all]`.
    pub fn concat(&mut self, parts: &[Tensor]) -> Result<Tensor> {
        let rows = parts.first().map_or(0, |part| part.rows);
        let width: u64 = parts.iter().map(|part| u64::from(part.columns)).sum();
        let width = u32::try_from(width).unwrap_or(u32::MAX);
        for part in parts {
            self.know("concat", *part)?;
            if part.rows != rows {
                return Err(Error::shape("concat", format!("{rows} rows"), format!("{} rows", part.rows)));
            }
        }
        if width == 0 {
            return Err(Error::shape("concat", "at least 1 column", "none"));
        }
        let y = self.tensor("concat", [rows, width])?;
        let mut first = 0;
        for part in parts.iter().copied() {
            let columns = part.columns;
            let own = Block { width: columns, first: 0 };
            self.copy_block("concat", [part, y], [own, Block { width, first }], columns)?;
            first += columns;
        }
        Ok(y)
    }

    /// The columns of x from `first` on, `columns` of them.
    pub fn columns(&mut self, x: Tensor, first: u32, columns: u32) -> Result<Tensor> {
        self.know("columns", x)?;
        let y = self.tensor(format!("columns of {}", self.label(x)), [x.rows, columns])?;
        let own = Block { width: columns, first: 0 };
        self.copy_block("columns", [x, y], [Block { width: x.columns, first }, own], columns)?;
        Ok(y)
    }

    // Copies a block of x to a block of y, and on the way back of y's gradient to x's.
    fn copy_block(
        &mut self,
        label: &str,
        [x, y]: [Tensor; 2],
        [source, destination]: [Block; 2],
        columns: u32,
    ) -> Result<()> {
        let kernel = CopyColumns { rows: x.rows, columns, source, destination, accumulate: false };
        self.record(label, kernel, &[self.value(x), self.value(y)])?;
        let (source, destination) = (destination, source);
        self.send_back([x], y, move |graph, dy| {
            if columns < x.columns && graph.needs_gradient(x) && graph.tensors[x.id].gradient.is_none() {
                // The rest of x's gradient starts at zero.
                let (dx, accumulate) = graph.gradient_target(x);
                let zero = affine(x, 0.0, 0.0, accumulate);
                graph.record(format!("d {}, zero", graph.label(x)), zero, &[graph.value(x), dx])?;
            }
            let back = |accumulate| CopyColumns { rows: x.rows, columns, source, destination, accumulate };
            graph.send(x, &[dy], back)
        });
        Ok(())
    }

    /// Standard normals `[rows, columns]`, drawn anew in each step. Two draws of one graph are independent.
    pub fn normal(&mut self, label: &str, rows: u32, columns: u32) -> Result<Tensor> {
        self.drawn(label, [rows, columns], Distribution::Normal, Stream::Noise)
    }

    /// Numbers uniform in (0, 1), `[rows, columns]`, drawn anew in each step.
    pub fn uniform(&mut self, label: &str, rows: u32, columns: u32) -> Result<Tensor> {
        self.drawn(label, [rows, columns], Distribution::Uniform, Stream::Noise)
    }

    pub(super) fn drawn(
        &mut self,
        label: &str,
        shape: [u32; 2],
        distribution: Distribution,
        stream: Stream,
    ) -> Result<Tensor> {
        let count = counted(label, &shape)?;
        if count == 0 {
            return Err(Error::shape(label, "at least 1 number to draw", format!("{shape:?}")));
        }
        let instance = self.instance(stream);
        let first_block = self.first_block(shape[0], shape[1]);
        let kernel = Numbers { count, distribution, first_block, stream: stream as u32, instance };
        self.make(label, &[self.state()], shape, kernel)
    }
}
