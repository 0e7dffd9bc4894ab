//! How strongly a code answers to its image: the squared Frobenius norm of the encoder's Jacobian, exact and
//! estimated (Rifai et al. 2011; Murphy, Probabilistic Machine Learning, 20.3.3).

use super::objective::{Target, Upstream};
use super::tape::Links;
use super::{Graph, Parameter, Slice, Tensor};
use crate::kernels::activation::Activation;
use crate::kernels::contraction::{Quadratic, UnitSlopes, UnitWeights};
use crate::kernels::elementwise::{Elementwise, Function};
use crate::kernels::hadamard::Multiply;
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::random::{Distribution, Stream};
use crate::kernels::spread::{Spread, SpreadResult};
use crate::{Error, Result};

/// The Jacobian of dense layers, image by image, as a product `left W` with the first layer's weights W
/// `[units, pixels]`: what stands left of them is small, the Jacobian is not.
#[derive(Clone, Debug, PartialEq)]
pub struct Jacobian {
    pub(super) left: Left,
    pub(super) weight: Parameter,
}

/// What stands left of the first layer's weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Left {
    /// The diagonal of the first layer's slopes, `[batch, units]`.
    Slopes(Tensor),
    /// `[batch * latent, units]`
    Rows(Tensor),
}

impl Left {
    pub(super) const fn tensor(self) -> Tensor {
        match self {
            Self::Slopes(tensor) | Self::Rows(tensor) => tensor,
        }
    }
}

impl Graph {
    /// The Jacobian of the last of `layers` by the first one's input, `diag(s_L) W_L ... diag(s_1) W_1` with the
    /// slopes `s = f'(z)` of each image. `layers` are what [`Graph::dense`] gave, from the input inward, each
    /// with its weight; they must follow on one another.
    ///
    /// # Errors
    /// [`Error::Shape`] where the layers do not fit each other, or there is none; [`Error::TooLarge`] where
    /// `batch * latent` rows are more than a device counts.
    pub fn jacobian(&mut self, label: &str, layers: &[(Tensor, Parameter)]) -> Result<Jacobian> {
        let Some(((first, weight), above)) = layers.split_first() else {
            return Err(Error::shape(label, "at least one layer", "none"));
        };
        for (y, weight) in layers {
            self.know(label, *y)?;
            self.know_parameter(label, weight)?;
        }
        let Some(((code, last), between)) = above.split_last() else {
            let slopes = self.slope(&format!("{label} slopes"), *first)?;
            return Ok(Jacobian { left: Left::Slopes(slopes), weight: weight.clone() });
        };
        let slopes = self.slope(&format!("{label} code slopes"), *code)?;
        let mut left = self.spread(&format!("{label} {}", last.name), slopes, last)?;
        for (y, weight) in between.iter().rev() {
            left = self.gate(&format!("{label} {}", self.label(*y)), left, *y)?;
            let label = format!("{label} {}", weight.name);
            left = self.dense_transposed(&label, left, weight, None, Activation::Identity)?;
        }
        left = self.gate(&format!("{label} {}", self.label(*first)), left, *first)?;
        Ok(Jacobian { left: Left::Rows(left), weight: weight.clone() })
    }

    /// Directions in which to probe: `[rows, columns]` of -1 and 1, alike often and drawn anew each step. The
    /// mean of `v vᵀ` is the identity, so that of `||J v||²` is `||J||²` (Hutchinson 1990; of all such v these
    /// vary least).
    ///
    /// # Errors
    /// [`Error::TooLarge`] beyond what a device counts.
    pub fn directions(&mut self, label: &str, rows: u32, columns: u32) -> Result<Tensor> {
        self.drawn(label, [rows, columns], Distribution::Signs, Stream::Projection)
    }

    // diag(c) W of each image: [batch * units, columns].
    fn spread(&mut self, label: &str, c: Tensor, weight: &Parameter) -> Result<Tensor> {
        let columns = match weight.shape[..] {
            [units, columns] if units == c.columns as usize => columns as u32,
            _ => {
                let expected = format!("a weight [{}, in]", c.columns);
                return Err(Error::shape(label, expected, format!("{:?}", weight.shape)));
            }
        };
        let [rows, units] = [c.rows, c.columns];
        let kernel = move |result, accumulate| Spread { rows, units, columns, result, accumulate };
        let rows = self.counted(label, c.rows, c.columns)?;
        self.counted(label, rows, columns)?;
        let y = self.tensor(label, rows, columns);
        let operands = [self.value(c), self.place(weight), self.value(y)];
        self.record(label, kernel(SpreadResult::Weights, false), &operands)?;
        let links = Links::new(&[c], y).through(&[weight]);
        let weight = weight.clone();
        self.push_backward(links, move |graph| {
            let Some(dy) = graph.preactivation_gradient(y)? else { return Ok(()) };
            let label = format!("d {}", graph.label(y));
            let c_value = graph.value(c);
            if let Some((gradient, accumulate)) = graph.parameter_gradient(&weight) {
                let kernel = kernel(SpreadResult::WeightGradient, accumulate);
                graph.record(&label, kernel, &[c_value, dy, gradient])?;
            }
            if !graph.needs_gradient(c) {
                return Ok(());
            }
            let (dc, accumulate) = graph.gradient_target(c);
            let label = format!("d {}", graph.label(c));
            let kernel = kernel(SpreadResult::ScalesGradient, accumulate);
            graph.record(label, kernel, &[graph.place(&weight), dy, dc])
        });
        Ok(y)
    }

    pub(super) fn counted(&self, label: &str, rows: u32, columns: u32) -> Result<u32> {
        rows.checked_mul(columns).ok_or_else(|| Error::TooLarge {
            operation: label.to_owned(),
            needed: 4 * u64::from(rows) * u64::from(columns),
            allowed: 4 * u64::from(u32::MAX),
            advice: "Use a smaller batch or model, or the estimate",
        })
    }

    /// How many images a Jacobian is of.
    pub(super) fn know_jacobian(&self, name: &str, of: &Jacobian) -> Result<u32> {
        let left = of.left.tensor();
        self.know(name, left)?;
        self.know_parameter(name, &of.weight)?;
        match of.left {
            Left::Slopes(_) => Ok(left.rows),
            Left::Rows(_) if left.rows.is_multiple_of(self.batch.max(1)) => Ok(self.batch),
            Left::Rows(_) => {
                let expected = format!("the Jacobian of a batch of {}", self.batch);
                Err(Error::shape(name, expected, format!("{} rows", left.rows)))
            }
        }
    }

    /// The squared norm of each image's Jacobian, and its gradients.
    pub(super) fn record_contraction(&mut self, name: &str, of: &Jacobian, up: Upstream) -> Result<Slice> {
        let rows = self.know_jacobian(name, of)?;
        let values = self.buffer(format!("{name} of each row"), rows as usize, false);
        match of.left {
            Left::Slopes(slopes) => self.record_units(name, slopes, &of.weight, up, values)?,
            Left::Rows(left) => self.record_gram(name, left, &of.weight, up, values)?,
        }
        Ok(values)
    }

    // ||diag(s) W||² = sum of s² ||W_j||² over the units j: nothing of [batch, units, pixels] is needed.
    fn record_units(
        &mut self,
        name: &str,
        slopes: Tensor,
        weight: &Parameter,
        upstream: Upstream,
        values: Slice,
    ) -> Result<()> {
        let [units, columns] = sides(weight)?;
        let rows = slopes.rows;
        let w = self.place(weight);
        let norms = self.buffer("squared norms of the units", units as usize, false);
        let kernel = Quadratic { rows: units, columns, gradient: None };
        self.record("squared norms of the units", kernel, &[w, w, norms])?;
        let s = self.value(slopes);
        self.send_rows(name, (slopes, rows, &[weight]), upstream, |graph, target, weights| {
            let kernel = UnitSlopes { rows, units, gradient: target.map(Target::gradient) };
            graph.record_value(name, kernel, &[s, norms, values], target)?;
            let Some(Target { scale, .. }) = target else { return Ok(()) };
            let weighed = graph.weighed(name, s, [rows, units], weights)?;
            let Some((dw, accumulate)) = graph.parameter_gradient(weight) else { return Ok(()) };
            let kernel = UnitWeights { rows, units, columns, scale, accumulate };
            graph.record(format!("d {} by {name}", weight.name), kernel, &[w, s, weighed, dw])
        })
    }

    // x, each of its rows times its weight where there are any.
    fn weighed(
        &mut self,
        name: &str,
        x: Slice,
        [rows, columns]: [u32; 2],
        weights: Option<Slice>,
    ) -> Result<Slice> {
        let Some(weights) = weights else { return Ok(x) };
        let label = format!("{name}, weighed");
        let y = self.buffer(&label, rows as usize * columns as usize, false);
        self.record(label, Multiply::rows(rows, columns, false), &[x, weights, y])?;
        Ok(y)
    }

    // ||A W||² = tr(A W Wᵀ Aᵀ) with the Gram matrix W Wᵀ `[units, units]`: the Jacobian itself, `[batch *
    // latent, pixels]`, is never there.
    fn record_gram(
        &mut self,
        name: &str,
        left: Tensor,
        weight: &Parameter,
        upstream: Upstream,
        values: Slice,
    ) -> Result<()> {
        let [units, pixels] = sides(weight)?;
        let (w, a) = (self.place(weight), self.value(left));
        let square = |layout, depth| {
            let epilogue = Epilogue::None;
            MatMul { rows: units, columns: units, depth, layout, epilogue, accumulate: false }
        };
        let gram = self.buffer("Gram matrix", units as usize * units as usize, false);
        self.record("Gram matrix", square(Layout::Nt, pixels), &[w, w, gram])?;
        let g = self.buffer("Jacobian times Gram matrix", left.count() as usize, false);
        let product = MatMul { rows: left.rows, ..square(Layout::Nn, units) };
        self.record("Jacobian times Gram matrix", product, &[a, gram, g])?;
        let (rows, columns) = (self.batch, left.count() / self.batch);
        self.send_rows(name, (left, rows, &[weight]), upstream, |graph, target, weights| {
            let kernel = Quadratic { rows, columns, gradient: target.map(Target::gradient) };
            graph.record_value(name, kernel, &[a, g, values], target)?;
            let Some(Target { scale, .. }) = target else { return Ok(()) };
            let Some((dw, accumulate)) = graph.parameter_gradient(weight) else { return Ok(()) };
            let weighed = graph.weighed(name, a, [rows, columns], weights)?;
            let products = graph.buffer("Jacobian's own products", gram.words, false);
            let sides = ((a, units), (weighed, units));
            graph.record_over_rows(
                "Jacobian's own products",
                sides.0,
                sides.1,
                left.rows,
                products,
                false,
            )?;
            let dgram = graph.buffer("d Gram matrix", gram.words, false);
            let function = Function::Affine { a: 2.0 * scale, b: 0.0 };
            let kernel = Elementwise { count: units * units, function, accumulate: false };
            graph.record("d Gram matrix", kernel, &[products, dgram])?;
            let product = MatMul { columns: pixels, accumulate, ..square(Layout::Nn, units) };
            graph.record(format!("d {} by {name}", weight.name), product, &[dgram, w, dw])
        })
    }

    /// The squared norm of each row of t, and its gradient.
    pub(super) fn record_squared_norm(&mut self, name: &str, t: Tensor, up: Upstream) -> Result<Slice> {
        let (rows, columns, value) = (t.rows, t.columns, self.value(t));
        let values = self.buffer(format!("{name} of each row"), rows as usize, false);
        self.send_rows(name, (t, rows, &[]), up, |graph, target, _| {
            let kernel = Quadratic { rows, columns, gradient: target.map(Target::gradient) };
            graph.record_value(name, kernel, &[value, value, values], target)
        })?;
        Ok(values)
    }
}

// Rows and columns of a weight.
fn sides(weight: &Parameter) -> Result<[u32; 2]> {
    match weight.shape[..] {
        [rows, columns] => Ok([rows as u32, columns as u32]),
        _ => Err(Error::shape("contraction", "a weight [out, in]", format!("{:?}", weight.shape))),
    }
}
