//! Arithmetic between tensors, number by number and by rows, each with the tape's gradient: what terms are composed of.

use super::tape::Links;
use super::{Graph, Slice, Tensor};
use crate::kernels::elementwise::{Elementwise, Function};
use crate::kernels::group::{LogSumExp, LogSumExpBackward};
use crate::kernels::hadamard::{Multiply, RowProducts};
use crate::kernels::reduce::ColumnSum;
use crate::kernels::rows::{Repeat, RowSum};
use crate::{Error, Result};

impl Graph {
    /// Fails where the two are not of one shape, or of another graph.
    fn know_alike(&self, label: &str, x: Tensor, y: Tensor) -> Result<()> {
        self.know(label, x)?;
        self.know(label, y)?;
        if [x.rows, x.columns] == [y.rows, y.columns] {
            return Ok(());
        }
        let [expected, got] = [x, y].map(|tensor| format!("[{}, {}]", tensor.rows, tensor.columns));
        Err(Error::shape(label, expected, got))
    }

    /// `scale x + shift`, number by number.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph.
    pub fn affine(&mut self, x: Tensor, scale: f32, shift: f32) -> Result<Tensor> {
        self.know("affine", x)?;
        let y = self.tensor("affine", x.rows, x.columns);
        let function = Function::Affine { a: scale, b: shift };
        let kernel = Elementwise { count: x.count(), function, accumulate: false };
        self.record("affine", kernel, &[self.value(x), self.value(y)])?;
        self.send_back(x, y, move |graph, dy| graph.add_to(x, dy, scale));
        Ok(y)
    }

    /// `scale x`, number by number.
    ///
    /// # Errors
    /// As [`Graph::affine`].
    pub fn scale(&mut self, x: Tensor, scale: f32) -> Result<Tensor> {
        self.affine(x, scale, 0.0)
    }

    // Sends `scale dy` to x, where it wants a gradient.
    pub(super) fn add_to(&mut self, x: Tensor, dy: Slice, scale: f32) -> Result<()> {
        if !self.needs_gradient(x) {
            return Ok(());
        }
        let label = format!("d {}", self.label(x));
        let (dx, accumulate) = self.gradient_target(x);
        let function = Function::Affine { a: scale, b: 0.0 };
        self.record(label, Elementwise { count: x.count(), function, accumulate }, &[dy, dx])
    }

    /// `a x + b y`, number by number.
    ///
    /// # Errors
    /// [`Error::Shape`] for tensors of different shapes, or of another graph.
    pub fn weighted_sum(&mut self, (a, x): (f32, Tensor), (b, y): (f32, Tensor)) -> Result<Tensor> {
        self.know_alike("weighted sum", x, y)?;
        let sum = self.tensor("weighted sum", x.rows, x.columns);
        let function = Function::WeightedSum { a, b };
        let kernel = Elementwise { count: x.count(), function, accumulate: false };
        self.record("weighted sum", kernel, &[self.value(x), self.value(y), self.value(sum)])?;
        self.push_backward(Links::new(&[x, y], sum), move |graph| {
            let Some(dsum) = graph.preactivation_gradient(sum)? else { return Ok(()) };
            graph.add_to(x, dsum, a)?;
            graph.add_to(y, dsum, b)
        });
        Ok(sum)
    }

    /// `x + y`, number by number.
    ///
    /// # Errors
    /// As [`Graph::weighted_sum`].
    pub fn add(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        self.weighted_sum((1.0, x), (1.0, y))
    }

    /// `x - y`, number by number.
    ///
    /// # Errors
    /// As [`Graph::weighted_sum`].
    pub fn subtract(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        self.weighted_sum((1.0, x), (-1.0, y))
    }

    /// `x y`, number by number.
    ///
    /// # Errors
    /// As [`Graph::weighted_sum`].
    pub fn multiply(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        self.know_alike("product", x, y)?;
        let (product, count) = (self.tensor("product", x.rows, x.columns), x.count());
        let operands = [self.value(x), self.value(y), self.value(product)];
        self.record("product", Multiply::numbers(count, false), &operands)?;
        self.push_backward(Links::new(&[x, y], product), move |graph| {
            let Some(dy) = graph.preactivation_gradient(product)? else { return Ok(()) };
            for (to, other) in [(x, y), (y, x)] {
                if graph.needs_gradient(to) {
                    let (label, other) = (format!("d {}", graph.label(to)), graph.value(other));
                    let (target, accumulate) = graph.gradient_target(to);
                    graph.record(label, Multiply::numbers(count, accumulate), &[dy, other, target])?;
                }
            }
            Ok(())
        });
        Ok(product)
    }

    /// Each row of x `[rows, columns]` times its own number in y `[rows, 1]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of rows, or a tensor of another graph.
    pub fn multiply_rows(&mut self, x: Tensor, y: Tensor) -> Result<Tensor> {
        let label = "rows by a column";
        self.know(label, x)?;
        self.know(label, y)?;
        let (rows, columns) = (x.rows, x.columns);
        if [y.rows, y.columns] != [rows, 1] {
            return Err(Error::shape(label, format!("[{rows}, 1]"), format!("[{}, {}]", y.rows, y.columns)));
        }
        let product = self.tensor(label, rows, columns);
        let operands = [self.value(x), self.value(y), self.value(product)];
        self.record(label, Multiply::rows(rows, columns, false), &operands)?;
        self.push_backward(Links::new(&[x, y], product), move |graph| {
            let Some(dy) = graph.preactivation_gradient(product)? else { return Ok(()) };
            let (x_value, y_value) = (graph.value(x), graph.value(y));
            if graph.needs_gradient(x) {
                let label = format!("d {}", graph.label(x));
                let (dx, accumulate) = graph.gradient_target(x);
                graph.record(label, Multiply::rows(rows, columns, accumulate), &[dy, y_value, dx])?;
            }
            if graph.needs_gradient(y) {
                let label = format!("d {}", graph.label(y));
                let (target, accumulate) = graph.gradient_target(y);
                graph.record(label, RowProducts { rows, columns, accumulate }, &[x_value, dy, target])?;
            }
            Ok(())
        });
        Ok(product)
    }

    /// `e^x`, number by number.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph.
    pub fn exp(&mut self, x: Tensor) -> Result<Tensor> {
        self.know("exp", x)?;
        let y = self.tensor("exp", x.rows, x.columns);
        let kernel = Elementwise { count: x.count(), function: Function::Exponential, accumulate: false };
        self.record("exp", kernel, &[self.value(x), self.value(y)])?;
        self.send_back(x, y, move |graph, dy| {
            let value = graph.value(y);
            let label = format!("d {}", graph.label(x));
            let (dx, accumulate) = graph.gradient_target(x);
            graph.record(label, Multiply::numbers(x.count(), accumulate), &[dy, value, dx])
        });
        Ok(y)
    }

    /// `log x`, number by number; of what is below 2^-126 the logarithm of that.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph.
    pub fn log(&mut self, x: Tensor) -> Result<Tensor> {
        self.know("log", x)?;
        let y = self.tensor("log", x.rows, x.columns);
        let count = x.count();
        let kernel = Elementwise { count, function: Function::Logarithm, accumulate: false };
        self.record("log", kernel, &[self.value(x), self.value(y)])?;
        self.send_back(x, y, move |graph, dy| {
            let value = graph.value(x);
            let label = format!("d {}", graph.label(x));
            let (dx, accumulate) = graph.gradient_target(x);
            let kernel = Elementwise { count, function: Function::LogarithmBackward, accumulate };
            graph.record(label, kernel, &[value, dy, dx])
        });
        Ok(y)
    }

    /// The sum of each row's numbers, `[rows, 1]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph, [`Error::Setting`] for rows too long to sum.
    pub fn row_sum(&mut self, x: Tensor) -> Result<Tensor> {
        self.row_total("row sum", x, 1.0)
    }

    /// The mean of each row's numbers, `[rows, 1]`.
    ///
    /// # Errors
    /// As [`Graph::row_sum`].
    pub fn row_mean(&mut self, x: Tensor) -> Result<Tensor> {
        self.row_total("row mean", x, 1.0 / x.columns.max(1) as f32)
    }

    fn row_total(&mut self, label: &str, x: Tensor, scale: f32) -> Result<Tensor> {
        self.know(label, x)?;
        let (rows, columns) = (x.rows, x.columns);
        let y = self.tensor(label, rows, 1);
        let kernel = RowSum { rows, columns, scale, accumulate: false };
        self.record(label, kernel, &[self.value(x), self.value(y)])?;
        self.send_back(x, y, move |graph, dy| {
            let label = format!("d {}", graph.label(x));
            let (dx, accumulate) = graph.gradient_target(x);
            graph.record(label, Repeat { rows, columns: 1, times: columns, scale, accumulate }, &[dy, dx])
        });
        Ok(y)
    }

    /// Each row `times` times, one after the other: `[rows * times, columns]`, so that the rows of an image stay
    /// together. Once is x itself.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph, [`Error::Setting`] for none or too many.
    pub fn repeat_rows(&mut self, x: Tensor, times: u32) -> Result<Tensor> {
        self.know("repeat", x)?;
        let rows =
            x.rows.checked_mul(times).filter(|rows| *rows > 0 && rows.checked_mul(x.columns).is_some());
        let Some(rows) = rows else {
            return Err(Error::setting(
                "times that rows repeat",
                "at least 1, and 2^32 numbers at most",
                times,
            ));
        };
        if times == 1 {
            return Ok(x);
        }
        let columns = x.columns;
        let y = self.tensor(format!("{} repeated", self.label(x)), rows, columns);
        let kernel = Repeat { rows: x.rows, columns, times, scale: 1.0, accumulate: false };
        self.record("repeat", kernel, &[self.value(x), self.value(y)])?;
        self.send_back(x, y, move |graph, dy| {
            let label = format!("d {}", graph.label(x));
            let (dx, accumulate) = graph.gradient_target(x);
            graph.record(label, ColumnSum { rows, columns, chunk: times, accumulate }, &[dy, dx])
        });
        Ok(y)
    }

    /// `log (1/k) sum of e^x` over each k consecutive rows: x `[rows * k, columns]` becomes `[rows, columns]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for rows that are not of groups of k, or a tensor of another graph; [`Error::Setting`] for a
    /// group too large to sum.
    pub fn log_mean_exp(&mut self, x: Tensor, k: u32) -> Result<Tensor> {
        self.log_total("log mean exp", x, k, true)
    }

    /// `log sum of e^x` over each k consecutive rows.
    ///
    /// # Errors
    /// As [`Graph::log_mean_exp`].
    pub fn log_sum_exp(&mut self, x: Tensor, k: u32) -> Result<Tensor> {
        self.log_total("log sum exp", x, k, false)
    }

    fn log_total(&mut self, label: &str, x: Tensor, size: u32, mean: bool) -> Result<Tensor> {
        self.know(label, x)?;
        if size == 0 || !x.rows.is_multiple_of(size) {
            return Err(Error::shape(label, format!("rows in groups of {size}"), format!("{} rows", x.rows)));
        }
        let (groups, columns) = (x.rows / size, x.columns);
        let y = self.tensor(label, groups, columns);
        let parts = self.buffer(format!("{label}, parts"), 2 * groups as usize * columns as usize, false);
        let kernel = LogSumExp { groups, size, columns, mean };
        self.record(label, kernel, &[self.value(x), self.value(y), parts])?;
        self.send_back(x, y, move |graph, dy| {
            let value = graph.value(x);
            let label = format!("d {}", graph.label(x));
            let (dx, accumulate) = graph.gradient_target(x);
            graph.record(label, LogSumExpBackward { of: kernel, accumulate }, &[value, parts, dy, dx])
        });
        Ok(y)
    }
}
