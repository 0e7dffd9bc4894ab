//! How strongly a code answers to its image: the squared Frobenius norm of the encoder's Jacobian, exact and
//! estimated (Rifai et al. 2011; Murphy, Probabilistic Machine Learning, 20.3.3).

use super::build::PARAMETERS;
use super::{Graph, Parameter, Slice, Tensor};
use crate::kernels::Gradient;
use crate::kernels::activation::Activation;
use crate::kernels::contraction::{GramGradient, Quadratic, UnitSlopes, UnitWeights};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::random::{Distribution, Numbers, Stream};
use crate::kernels::spread::{Spread, SpreadScales, SpreadWeight};
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
        let v = self.tensor(label, rows, columns, false);
        let count = self.counted(label, rows, columns)?;
        let operands = [self.state(), self.value(v)];
        self.record(
            label,
            Numbers { count, distribution: Distribution::Signs, stream: Stream::Projection, instance: 0 },
            &operands,
        )?;
        Ok(v)
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
        let kernel = Spread { rows: c.rows, units: c.columns, columns };
        let rows = self.counted(label, c.rows, c.columns)?;
        self.counted(label, rows, columns)?;
        let y = self.tensor(label, rows, columns, true);
        self.will_use(c);
        let operands = [self.value(c), weight.slice(PARAMETERS), self.value(y)];
        self.record(label, kernel, &operands)?;
        let weight = weight.clone();
        self.push_backward(move |graph| {
            let Some(dy) = graph.preactivation_gradient(y)? else { return Ok(()) };
            let (gradient, accumulate) = graph.parameter_gradient(&weight);
            let label = format!("d {}", graph.label(y));
            let c_value = graph.value(c);
            graph.record(&label, SpreadWeight { of: kernel, accumulate }, &[c_value, dy, gradient])?;
            if !graph.tensors[c.id].needs_gradient {
                return Ok(());
            }
            let (dc, accumulate) = graph.gradient_target(c);
            let label = format!("d {}", graph.label(c));
            let kernel = SpreadScales { of: kernel, accumulate };
            graph.record(label, kernel, &[weight.slice(PARAMETERS), dy, dc])
        });
        Ok(y)
    }

    fn counted(&self, label: &str, rows: u32, columns: u32) -> Result<u32> {
        rows.checked_mul(columns).ok_or_else(|| Error::TooLarge {
            operation: label.to_owned(),
            needed: 4 * u64::from(rows) * u64::from(columns),
            allowed: 4 * u64::from(u32::MAX),
            advice: "Use a smaller batch or model, or the estimate",
        })
    }

    /// The squared norm of each image's Jacobian to `values`, and its gradients times `scale`.
    pub(super) fn record_contraction(&mut self, of: &Jacobian, scale: f32, values: Slice) -> Result<()> {
        let left = of.left.tensor();
        self.know("contraction", left)?;
        self.know_parameter("contraction", &of.weight)?;
        let images = match of.left {
            Left::Slopes(_) => left.rows == self.batch,
            Left::Rows(_) => left.rows.is_multiple_of(self.batch),
        };
        if !images {
            let expected = format!("the Jacobian of a batch of {}", self.batch);
            return Err(Error::shape("contraction", expected, format!("{} rows", left.rows)));
        }
        match of.left {
            Left::Slopes(slopes) => self.record_units(slopes, &of.weight, scale, values),
            Left::Rows(left) => self.record_gram(left, &of.weight, scale, values),
        }
    }

    // ||diag(s) W||² = sum of s² ||W_j||² over the units j: nothing of [batch, units, pixels] is needed.
    fn record_units(&mut self, slopes: Tensor, weight: &Parameter, scale: f32, values: Slice) -> Result<()> {
        let [units, columns] = sides(weight)?;
        let rows = slopes.rows;
        let w = weight.slice(PARAMETERS);
        let norms = self.buffer("squared norms of the units", units as usize, false);
        self.record(
            "squared norms of the units",
            Quadratic { rows: units, columns, gradient: None },
            &[w, w, norms],
        )?;
        let s = self.value(slopes);
        let (ds, accumulate) = self.gradient_target(slopes);
        let kernel = UnitSlopes { rows, units, gradient: Some(Gradient { scale, accumulate }) };
        self.record("contraction, value and gradient", kernel, &[s, norms, values, ds])?;
        if scale == 0.0 {
            return Ok(());
        }
        let (dw, accumulate) = self.parameter_gradient(weight);
        let kernel = UnitWeights { rows, units, columns, scale, accumulate };
        self.record(format!("d {} by contraction", weight.name), kernel, &[w, s, s, dw])
    }

    // ||A W||² = tr(A W Wᵀ Aᵀ) with the Gram matrix W Wᵀ `[units, units]`: the Jacobian itself, `[batch *
    // latent, pixels]`, is never there.
    fn record_gram(&mut self, left: Tensor, weight: &Parameter, scale: f32, values: Slice) -> Result<()> {
        let [units, pixels] = sides(weight)?;
        let (w, a) = (weight.slice(PARAMETERS), self.value(left));
        let square = |layout, depth| {
            let epilogue = Epilogue::None;
            MatMul { rows: units, columns: units, depth, layout, epilogue, accumulate: false }
        };
        let gram = self.buffer("Gram matrix", units as usize * units as usize, false);
        self.record("Gram matrix", square(Layout::Nt, pixels), &[w, w, gram])?;
        let g = self.buffer("Jacobian times Gram matrix", left.count() as usize, false);
        let product = MatMul { rows: left.rows, ..square(Layout::Nn, units) };
        self.record("Jacobian times Gram matrix", product, &[a, gram, g])?;
        let (da, accumulate) = self.gradient_target(left);
        let columns = left.count() / self.batch;
        let kernel = Quadratic { rows: self.batch, columns, gradient: Some(Gradient { scale, accumulate }) };
        self.record("contraction, value and gradient", kernel, &[a, g, values, da])?;
        if scale == 0.0 {
            return Ok(());
        }
        let products = self.buffer("Jacobian's own products", gram.words, false);
        self.record_over_rows("Jacobian's own products", (a, units), (a, units), left.rows, products, false)?;
        let dgram = self.buffer("d Gram matrix", gram.words, false);
        self.record("d Gram matrix", GramGradient { units, scale }, &[products, dgram])?;
        let (dw, accumulate) = self.parameter_gradient(weight);
        let product = MatMul { columns: pixels, accumulate, ..square(Layout::Nn, units) };
        self.record(format!("d {} by contraction", weight.name), product, &[dgram, w, dw])
    }

    /// The squared norm of each row of t to `values`, and its gradient times `scale`.
    pub(super) fn record_squared_norm(&mut self, t: Tensor, scale: f32, values: Slice) -> Result<()> {
        let value = self.value(t);
        let (dt, accumulate) = self.gradient_target(t);
        let kernel =
            Quadratic { rows: t.rows, columns: t.columns, gradient: Some(Gradient { scale, accumulate }) };
        self.record("squared norm, value and gradient", kernel, &[value, value, values, dt])
    }
}

// Rows and columns of a weight.
fn sides(weight: &Parameter) -> Result<[u32; 2]> {
    match weight.shape[..] {
        [rows, columns] => Ok([rows as u32, columns as u32]),
        _ => Err(Error::shape("contraction", "a weight [out, in]", format!("{:?}", weight.shape))),
    }
}
