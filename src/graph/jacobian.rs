//! The Jacobian of an encoder, and random directions to probe it in.

use super::tape::Links;
use super::tensor::counted;
use super::{Graph, Parameter, Tensor};
use crate::kernels::activation::Activation;
use crate::kernels::random::{Distribution, Stream};
use crate::kernels::spread::{Spread, SpreadResult};
use crate::{Error, Result};

/// The Jacobian of dense layers, image by image, as a product `left W` with the first layer's weights W
/// `[units, pixels]`: the left factor is small, the Jacobian is not.
#[derive(Clone, Debug, PartialEq)]
pub struct Jacobian {
    pub(super) left: Left,
    pub(super) weight: Parameter,
}

/// The left factor.
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
    /// slopes `s = f'(z)` of each image. `layers` are results of [`Graph::dense`], from the input inward, each
    /// with its weight; each must be the next one's input.
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
        let spread = self.spread(&format!("{label} {}", last.name), slopes, last);
        let mut left = spread.map_err(|error| match error {
            Error::TooLarge { operation, needed, allowed, .. } => {
                let advice = "Use a smaller batch or model, or the estimate";
                Error::TooLarge { operation, needed, allowed, advice }
            }
            other => other,
        })?;
        for (y, weight) in between.iter().rev() {
            left = self.gate(&format!("{label} {}", self.label(*y)), left, *y)?;
            let label = format!("{label} {}", weight.name);
            left = self.dense_transposed(&label, left, weight, None, Activation::Identity)?;
        }
        left = self.gate(&format!("{label} {}", self.label(*first)), left, *first)?;
        Ok(Jacobian { left: Left::Rows(left), weight: weight.clone() })
    }

    /// Directions in which to probe: `[rows, columns]` of -1 and 1, equally likely, drawn anew in each step. The
    /// mean of `v vᵀ` is the identity, so the mean of `||J v||²` is `||J||²` (Hutchinson 1990; of all such v these
    /// vary least).
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
        let [rows, units] = c.shape();
        let kernel = move |result, accumulate| Spread { rows, units, columns, result, accumulate };
        let shape = [counted(label, &c.shape())?, columns];
        let reads = [self.value(c), self.place(weight)];
        let y = self.make(label, &reads, shape, kernel(SpreadResult::Weights, false))?;
        let links = Links::of(&[c]).through(&[weight]);
        let weight = weight.clone();
        self.send_back(links, y, move |graph, dy| {
            if let Some((gradient, accumulate)) = graph.parameter_gradient(&weight)? {
                let (label, c_value) = (format!("d {}", graph.label(y)), graph.value(c));
                let kernel = kernel(SpreadResult::WeightGradient, accumulate);
                graph.record(label, kernel, &[c_value, dy, gradient])?;
            }
            let scales = |accumulate| kernel(SpreadResult::ScalesGradient, accumulate);
            graph.send(c, &[graph.place(&weight), dy], scales)
        });
        Ok(y)
    }
}
