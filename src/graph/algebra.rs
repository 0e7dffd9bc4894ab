//! Arithmetic between tensors, element by element and by rows, with gradients: what terms are composed of.

use super::tensor::counted;
use super::{Graph, Slice, Tensor};
use crate::kernels::elementwise::{Elementwise, Function};
use crate::kernels::group::{LogSumExp, LogSumExpBackward};
use crate::kernels::hadamard::{Multiply, RowProducts};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::reduce::ColumnSum;
use crate::kernels::rows::{Repeat, RowSum};
use crate::{Error, Result};

impl Graph {
    /// `scale x + shift`, element by element.
    pub fn affine(&mut self, x: Tensor, scale: f32, shift: f32) -> Result<Tensor> {
        let y = self.apply("affine", &[x], x.shape(), affine(x, scale, shift, false))?;
        self.send_back([x], y, move |graph, dy| graph.add_to(x, dy, scale));
        Ok(y)
    }

    /// `scale x`, element by element.
    pub fn scale(&mut self, x: Tensor, scale: f32) -> Result<Tensor> {
        self.affine(x, scale, 0.0)
    }

    // Sends `scale dy` to x.
    pub(super) fn add_to(&mut self, x: Tensor, dy: Slice, scale: f32) -> Result<()> {
        self.send(x, &[dy], |accumulate| affine(x, scale, 0.0, accumulate))
    }

    /// `a x + b y`, element by element.
    pub fn weighted_sum(&mut self, (a, x): (f32, Tensor), (b, y): (f32, Tensor)) -> Result<Tensor> {
        self.know_alike("weighted sum", x, y)?;
        let kernel = of_each(x, Function::WeightedSum { a, b }, false);
        let sum = self.apply("weighted sum", &[x, y], x.shape(), kernel)?;
        self.send_back([x, y], sum, move |graph, dsum| {
            graph.add_to(x, dsum, a)?;
            graph.add_to(y, dsum, b)
        });
        Ok(sum)
    }

    /// `x + y`, element by element.
    pub fn add(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        self.weighted_sum((1.0, x), (1.0, y))
    }

    /// `x - y`, element by element.
    pub fn subtract(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        self.weighted_sum((1.0, x), (-1.0, y))
    }

    /// `x y`, element by element.
    pub fn multiply(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        self.know_alike("product", x, y)?;
        let kernel = move |accumulate| Multiply::numbers(x.count(), accumulate);
        let product = self.apply("product", &[x, y], x.shape(), kernel(false))?;
        self.send_back([x, y], product, move |graph, dy| {
            graph.send(x, &[dy, graph.value(y)], kernel)?;
            graph.send(y, &[dy, graph.value(x)], kernel)
        });
        Ok(product)
    }

    /// Each row of x `[rows, columns]` times its own number in y `[rows, 1]`.
    pub fn multiply_rows(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        let (label, rows, columns) = ("rows by a column", x.rows, x.columns);
        if y.shape() != [rows, 1] {
            return Err(Error::shape(label, format!("[{rows}, 1]"), format!("{:?}", y.shape())));
        }
        let kernel = move |accumulate| Multiply::rows(rows, columns, accumulate);
        let product = self.apply(label, &[x, y], x.shape(), kernel(false))?;
        self.send_back([x, y], product, move |graph, dy| {
            let [x_value, y_value] = [x, y].map(|tensor| graph.value(tensor));
            graph.send(x, &[dy, y_value], kernel)?;
            graph.send(y, &[x_value, dy], |accumulate| RowProducts { rows, columns, accumulate })
        });
        Ok(product)
    }

    /// The matrix product `a b` of a `[rows, depth]` and b `[depth, columns]`.
    pub fn matmul(&mut self, a: Tensor, b: Tensor) -> Result<Tensor> {
        let label = "product of matrices";
        if a.columns != b.rows {
            return Err(Error::shape(label, format!("{} rows", a.columns), format!("{} rows", b.rows)));
        }
        let (rows, columns, depth) = (a.rows, b.columns, a.columns);
        let product = |layout, [rows, columns, depth]: [u32; 3], accumulate| {
            let epilogue = Epilogue::None;
            MatMul { rows, columns, depth, layout, epilogue, accumulate }
        };
        let kernel = product(Layout::Nn, [rows, columns, depth], false);
        [a, b].into_iter().try_for_each(|tensor| self.know(label, tensor))?;
        let y = self.tensor(label, [rows, columns])?;
        self.record_product(label, kernel, &[self.value(a), self.value(b), self.value(y)])?;
        self.send_back([a, b], y, move |graph, dy| {
            let [a_value, b_value] = [a, b].map(|tensor| graph.value(tensor));
            let of_a = |add| product(Layout::Nt, [rows, depth, columns], add);
            graph.send_product(a, [dy, b_value], of_a)?;
            graph.send_product(b, [a_value, dy], |add| product(Layout::Tn, [depth, columns, rows], add))
        });
        Ok(y)
    }

    /// `e^x`, element by element.
    pub fn exp(&mut self, x: Tensor) -> Result<Tensor> {
        let y = self.apply("exp", &[x], x.shape(), of_each(x, Function::Exponential, false))?;
        self.send_back([x], y, move |graph, dy| {
            graph.send(x, &[dy, graph.value(y)], |accumulate| Multiply::numbers(x.count(), accumulate))
        });
        Ok(y)
    }

    /// `log x`, element by element; below 2^-126 the logarithm of 2^-126.
    pub fn log(&mut self, x: Tensor) -> Result<Tensor> {
        let y = self.apply("log", &[x], x.shape(), of_each(x, Function::Logarithm, false))?;
        self.send_back([x], y, move |graph, dy| {
            let kernel = |accumulate| of_each(x, Function::LogarithmBackward, accumulate);
            graph.send(x, &[graph.value(x), dy], kernel)
        });
        Ok(y)
    }

    /// The sum of each row, `[rows, 1]`.
    pub fn row_sum(&mut self, x: Tensor) -> Result<Tensor> {
        self.row_total("row sum", x, 1.0)
    }

    /// The mean of each row, `[rows, 1]`.
    pub fn row_mean(&mut self, x: Tensor) -> Result<Tensor> {
        self.row_total("row mean", x, 1.0 / x.columns.max(1) as f32)
    }

    fn row_total(&mut self, label: &str, x: Tensor, scale: f32) -> Result<Tensor> {
        let Tensor { rows, columns, .. } = x;
        let kernel = RowSum { rows, columns, scale, accumulate: false };
        let y = self.apply(label, &[x], [rows, 1], kernel)?;
        self.send_back([x], y, move |graph, dy| {
            let kernel = |accumulate| Repeat { rows, columns: 1, times: columns, scale, accumulate };
            graph.send(x, &[dy], kernel)
        });
        Ok(y)
    }

    /// Each row `times` times, one after the other: `[rows * times, columns]`, so that the rows of an image stay
    /// together. With `times` 1 it is x itself.
    pub fn repeat_rows(&mut self, x: Tensor, times: u32) -> Result<Tensor> {
        self.know("repeat", x)?;
        if !(1..=ColumnSum::MAX_CHUNK).contains(&times) {
            let expected = format!("between 1 and {}", ColumnSum::MAX_CHUNK);
            return Err(Error::setting("repeat: times that rows repeat", expected, times));
        }
        if times == 1 {
            return Ok(x);
        }
        let (label, columns) = (format!("{} repeated", self.label(x)), x.columns);
        let rows = counted(&label, &[x.rows, times])?;
        let y = self.tensor(label, [rows, columns])?;
        let kernel = Repeat { rows: x.rows, columns, times, scale: 1.0, accumulate: false };
        self.record("repeat", kernel, &[self.value(x), self.value(y)])?;
        self.send_back([x], y, move |graph, dy| {
            graph.send(x, &[dy], |accumulate| ColumnSum { rows, columns, chunk: times, accumulate })
        });
        Ok(y)
    }

    /// `log (1/k) sum of e^x` over each k consecutive rows: x `[rows * k, columns]` becomes `[rows, columns]`.
    pub fn log_mean_exp(&mut self, x: Tensor, k: u32) -> Result<Tensor> {
        self.log_total("log mean exp", x, k, true)
    }

    /// `log sum of e^x` over each k consecutive rows.
    pub fn log_sum_exp(&mut self, x: Tensor, k: u32) -> Result<Tensor> {
        self.log_total("log sum exp", x, k, false)
    }

    fn log_total(&mut self, label: &str, x: Tensor, size: u32, mean: bool) -> Result<Tensor> {
        self.know(label, x)?;
        if size == 0 || !x.rows.is_multiple_of(size) {
            return Err(Error::shape(label, format!("rows in groups of {size}"), format!("{} rows", x.rows)));
        }
        let (groups, columns) = (x.rows / size, x.columns);
        let y = self.tensor(label, [groups, columns])?;
        let parts = self.buffer(format!("{label}, parts"), 2 * groups as usize * columns as usize);
        let kernel = LogSumExp { groups, size, columns, mean };
        self.record(label, kernel, &[self.value(x), self.value(y), parts])?;
        self.send_back([x], y, move |graph, dy| {
            let kernel = |accumulate| LogSumExpBackward { of: kernel, accumulate };
            graph.send(x, &[graph.value(x), parts, dy], kernel)
        });
        Ok(y)
    }
}

fn of_each(x: Tensor, function: Function, accumulate: bool) -> Elementwise {
    Elementwise { count: x.count(), function, accumulate }
}

// The kernel of `scale x + shift`.
pub(super) fn affine(x: Tensor, scale: f32, shift: f32, accumulate: bool) -> Elementwise {
    of_each(x, Function::Affine { a: scale, b: shift }, accumulate)
}
