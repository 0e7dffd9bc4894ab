//! Tensors, and what the graph knows of each while it is built.

use super::Graph;
use super::latent::Drawn;
use super::plan::Slice;
use crate::kernels::Kernel;
use crate::kernels::activation::Activation;
use crate::kernels::pool::MaxPool;
use crate::{Error, Result};

/// A `[rows, columns]` array of f32 in a graph: one row per image, or per sample of one. Layers may see a
/// [`Shape`](super::Shape) in its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    // The number of the graph that made it.
    graph: usize,
    pub(super) id: usize,
    /// Images in the batch, or samples of them.
    pub rows: u32,
    /// Numbers per row.
    pub columns: u32,
}

impl Tensor {
    /// `rows * columns`
    pub const fn count(self) -> u32 {
        self.rows * self.columns
    }

    /// `[rows, columns]`
    pub(super) const fn shape(self) -> [u32; 2] {
        [self.rows, self.columns]
    }
}

/// What the graph knows of a tensor while it is built.
#[derive(Debug)]
pub(super) struct TensorState {
    pub(super) tensor: Tensor,
    pub(super) label: String,
    pub(super) value: Slice,
    // The activation that made it and what the forward pass kept for its slope.
    pub(super) activation: Option<(Activation, Slice)>,
    // The tensor that the activation was applied to; None where a layer applied it to its own sums.
    pub(super) applied_to: Option<Tensor>,
    // For the result of a pooling: where its elements stood in the pooled tensor.
    pub(super) pooled: Option<(MaxPool, Slice)>,
    // For a Gaussian code: its first sample, and the number of its draw.
    pub(super) first_sample: Option<(Tensor, u32)>,
    // For a sample of a Gaussian code: how it was drawn.
    pub(super) drawn: Option<Drawn>,
    // In the update under way, of its value and of what the activation was applied to: see gradient.rs.
    pub(super) gradient: Option<Slice>,
    pub(super) preactivation_gradient: Option<Slice>,
}

/// `words`, which must fit the shaders' 32-bit indices.
pub(super) fn within_32_bits(operation: &str, words: u64) -> Result<u32> {
    u32::try_from(words).map_err(|_| Error::TooLarge {
        operation: operation.to_owned(),
        needed: words.saturating_mul(4),
        allowed: 4 * u64::from(u32::MAX),
        advice: "Use a smaller batch or model",
    })
}

/// The product of `extents`, which must fit 32 bits.
pub(super) fn counted(operation: &str, extents: &[u32]) -> Result<u32> {
    let product = extents.iter().fold(1, |product: u64, extent| product.saturating_mul((*extent).into()));
    within_32_bits(&format!("{operation} {extents:?}"), product)
}

impl Graph {
    /// A tensor in a buffer of its own.
    pub(super) fn tensor(&mut self, label: impl Into<String>, [rows, columns]: [u32; 2]) -> Result<Tensor> {
        let label = label.into();
        let count = counted(&label, &[rows, columns])?;
        let value = self.buffer(&label, count as usize);
        Ok(self.tensor_at(label, [rows, columns], value))
    }

    /// A tensor whose numbers are there already.
    pub(super) fn tensor_at(&mut self, label: String, [rows, columns]: [u32; 2], value: Slice) -> Tensor {
        let tensor = Tensor { graph: self.number, id: self.tensors.len(), rows, columns };
        self.tensors.push(TensorState {
            tensor,
            label,
            value,
            activation: None,
            applied_to: None,
            pooled: None,
            first_sample: None,
            drawn: None,
            gradient: None,
            preactivation_gradient: None,
        });
        tensor
    }

    /// Records a kernel that makes a tensor `[rows, columns]` of what it reads.
    pub(super) fn make(
        &mut self,
        label: impl Into<String>,
        reads: &[Slice],
        shape: [u32; 2],
        kernel: impl Kernel + 'static,
    ) -> Result<Tensor> {
        let label = label.into();
        let made = self.tensor(&label, shape)?;
        self.record(label, kernel, &[reads, &[self.value(made)]].concat())?;
        Ok(made)
    }

    /// As [`Graph::make`], of the values of tensors.
    pub(super) fn apply(
        &mut self,
        label: &str,
        inputs: &[Tensor],
        shape: [u32; 2],
        kernel: impl Kernel + 'static,
    ) -> Result<Tensor> {
        inputs.iter().try_for_each(|input| self.know(label, *input))?;
        let values: Vec<Slice> = inputs.iter().map(|input| self.value(*input)).collect();
        self.make(label, &values, shape, kernel)
    }

    /// Fails for a tensor that another graph made.
    pub(super) fn know(&self, operation: &str, tensor: Tensor) -> Result<()> {
        match self.tensors.get(tensor.id) {
            Some(known) if known.tensor == tensor => Ok(()),
            _ => {
                let got = format!("{:?} of another", tensor.shape());
                Err(Error::shape(operation, "a tensor of this graph", got))
            }
        }
    }

    /// Fails where the two differ in shape, or one is of another graph.
    pub(super) fn know_alike(&self, operation: &str, x: Tensor, y: Tensor) -> Result<()> {
        self.know(operation, x)?;
        self.know(operation, y)?;
        if x.shape() == y.shape() {
            return Ok(());
        }
        Err(Error::shape(operation, format!("{:?}", x.shape()), format!("{:?}", y.shape())))
    }

    pub(super) fn value(&self, tensor: Tensor) -> Slice {
        self.tensors[tensor.id].value
    }

    pub(super) fn label(&self, tensor: Tensor) -> String {
        self.tensors[tensor.id].label.clone()
    }
}
