//! Tensors put together, taken apart, passed on without their gradient, and drawn.

use super::tape::Links;
use super::{Graph, Tensor};
use crate::kernels::columns::{Block, CopyColumns};
use crate::kernels::elementwise::{Elementwise, Function};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::random::{Distribution, Numbers};
use crate::rng::Stream;
use crate::{Error, Result};

impl Graph {
    /// The same numbers, through which no gradient passes. Costs nothing.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph.
    pub fn detach(&mut self, x: Tensor) -> Result<Tensor> {
        self.know("detach", x)?;
        let label = format!("{} detached", self.label(x));
        Ok(self.tensor_at(label, [x.rows, x.columns], self.value(x)))
    }

    /// The same numbers, row by row, in rows of another length. Costs nothing on the way there.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of numbers, or a tensor of another graph.
    pub fn reshape(&mut self, x: Tensor, rows: u32, columns: u32) -> Result<Tensor> {
        self.know("reshape", x)?;
        if rows.checked_mul(columns) != Some(x.count()) {
            let expected = format!("{} numbers", x.count());
            return Err(Error::shape("reshape", expected, format!("[{rows}, {columns}]")));
        }
        let y = self.tensor_at(self.label(x), [rows, columns], self.value(x));
        self.send_back(x, y, move |graph, dy| graph.add_to(x, dy, 1.0));
        Ok(y)
    }

    /// The value of `value`, whose gradient goes to `gradient_to` as it is: the straight-through estimator (Bengio et al.
    /// 2013, section 4; van den Oord et al. 2017, section 3.2). Costs nothing on the way there.
    ///
    /// # Errors
    /// [`Error::Shape`] for tensors of different shapes, or of another graph.
    pub fn straight_through(&mut self, value: Tensor, gradient_to: Tensor) -> Result<Tensor> {
        self.know("straight through", value)?;
        self.know("straight through", gradient_to)?;
        if [value.rows, value.columns] != [gradient_to.rows, gradient_to.columns] {
            let [expected, got] =
                [value, gradient_to].map(|tensor| format!("[{}, {}]", tensor.rows, tensor.columns));
            return Err(Error::shape("straight through", expected, got));
        }
        let label = format!("{} straight through", self.label(value));
        let y = self.tensor_at(label, [value.rows, value.columns], self.value(value));
        self.send_back(gradient_to, y, move |graph, dy| graph.add_to(gradient_to, dy, 1.0));
        Ok(y)
    }

    /// Tensors side by side: `[rows, columns of all]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for none, for different numbers of rows, or a tensor of another graph.
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
        if width == 0 || width.checked_mul(rows).is_none() {
            return Err(Error::shape("concat", "1 to 2^32 numbers", format!("{rows} rows of {width}")));
        }
        let y = self.tensor("concat", rows, width);
        let mut first = 0;
        for part in parts.iter().copied() {
            let columns = part.columns;
            let inside = [Block { width: columns, first: 0 }, Block { width, first }];
            let [source, destination] = inside;
            let kernel = CopyColumns { rows, columns, source, destination, accumulate: false };
            self.record("concat", kernel, &[self.value(part), self.value(y)])?;
            self.push_backward(Links::new(&[part], y), move |graph| {
                let Some(dy) = graph.preactivation_gradient(y)? else { return Ok(()) };
                graph.copy_back(part, dy, [destination, source], columns)
            });
            first += columns;
        }
        Ok(y)
    }

    // Sends a block of dy to a block of x's gradient, of which nothing else was written.
    fn copy_back(&mut self, x: Tensor, dy: super::Slice, blocks: [Block; 2], columns: u32) -> Result<()> {
        if !self.needs_gradient(x) {
            return Ok(());
        }
        let label = format!("d {}", self.label(x));
        let (dx, mut accumulate) = self.gradient_target(x);
        if columns < x.columns && !accumulate {
            // What stands beside the block has a gradient of zero as far as this goes.
            let function = Function::Affine { a: 0.0, b: 0.0 };
            let zero = Elementwise { count: x.count(), function, accumulate: false };
            self.record(format!("{label}, zero"), zero, &[self.value(x), dx])?;
            accumulate = true;
        }
        let [source, destination] = blocks;
        self.record(label, CopyColumns { rows: x.rows, columns, source, destination, accumulate }, &[dy, dx])
    }

    /// The columns of x from `first` on, `columns` of them.
    ///
    /// # Errors
    /// [`Error::Setting`] for columns that x does not have, [`Error::Shape`] for a tensor of another graph.
    pub fn columns(&mut self, x: Tensor, first: u32, columns: u32) -> Result<Tensor> {
        self.know("columns", x)?;
        let y = self.tensor(format!("columns of {}", self.label(x)), x.rows, columns);
        let [source, destination] = [Block { width: x.columns, first }, Block { width: columns, first: 0 }];
        let kernel = CopyColumns { rows: x.rows, columns, source, destination, accumulate: false };
        self.record("columns", kernel, &[self.value(x), self.value(y)])?;
        self.send_back(x, y, move |graph, dy| graph.copy_back(x, dy, [destination, source], columns));
        Ok(y)
    }

    /// The matrix product `a b` of a `[rows, depth]` and b `[depth, columns]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where they do not fit, or are of another graph; [`Error::Setting`] beyond the largest product.
    pub fn matmul(&mut self, a: Tensor, b: Tensor) -> Result<Tensor> {
        self.know("product of matrices", a)?;
        self.know("product of matrices", b)?;
        if a.columns != b.rows {
            let expected = format!("{} rows", a.columns);
            return Err(Error::shape("product of matrices", expected, format!("{} rows", b.rows)));
        }
        let (rows, columns, depth) = (a.rows, b.columns, a.columns);
        let y = self.tensor("product of matrices", rows, columns);
        let product = |layout, [rows, columns, depth]: [u32; 3], accumulate| {
            let epilogue = Epilogue::None;
            MatMul { rows, columns, depth, layout, epilogue, accumulate }
        };
        let operands = [self.value(a), self.value(b), self.value(y)];
        self.record("product of matrices", product(Layout::Nn, [rows, columns, depth], false), &operands)?;
        self.push_backward(Links::new(&[a, b], y), move |graph| {
            let Some(dy) = graph.preactivation_gradient(y)? else { return Ok(()) };
            let (a_value, b_value) = (graph.value(a), graph.value(b));
            if graph.needs_gradient(a) {
                let label = format!("d {}", graph.label(a));
                let (da, accumulate) = graph.gradient_target(a);
                let kernel = product(Layout::Nt, [rows, depth, columns], accumulate);
                graph.record(label, kernel, &[dy, b_value, da])?;
            }
            if graph.needs_gradient(b) {
                let label = format!("d {}", graph.label(b));
                let (db, accumulate) = graph.gradient_target(b);
                let kernel = product(Layout::Tn, [depth, columns, rows], accumulate);
                graph.record(label, kernel, &[a_value, dy, db])?;
            }
            Ok(())
        });
        Ok(y)
    }

    /// Standard normals `[rows, columns]`, drawn anew in each step. Two draws of one graph are independent.
    ///
    /// # Errors
    /// [`Error::Shape`] for no numbers, [`Error::TooLarge`] beyond what a device counts.
    pub fn normal(&mut self, label: &str, rows: u32, columns: u32) -> Result<Tensor> {
        self.drawn(label, [rows, columns], Distribution::Normal, Stream::Noise)
    }

    /// Numbers uniform in (0, 1), `[rows, columns]`, drawn anew in each step.
    ///
    /// # Errors
    /// As [`Graph::normal`].
    pub fn uniform(&mut self, label: &str, rows: u32, columns: u32) -> Result<Tensor> {
        self.drawn(label, [rows, columns], Distribution::Uniform, Stream::Noise)
    }

    pub(super) fn drawn(
        &mut self,
        label: &str,
        [rows, columns]: [u32; 2],
        distribution: Distribution,
        stream: Stream,
    ) -> Result<Tensor> {
        let count = self.counted(label, rows, columns)?;
        if count == 0 {
            return Err(Error::shape(label, "at least 1 number to draw", format!("[{rows}, {columns}]")));
        }
        let tensor = self.tensor(label, rows, columns);
        let instance = self.instance(stream);
        let operands = [self.state(), self.value(tensor)];
        let kernel = Numbers { count, distribution, first_block: 0, stream: stream as u32, instance };
        self.record(label, kernel, &operands)?;
        Ok(tensor)
    }
}
