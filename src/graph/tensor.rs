//! Tensors, and what the graph knows of each while it is built.

use super::Graph;
use super::plan::Slice;
use crate::kernels::activation::Activation;
use crate::kernels::pool::MaxPool;
use crate::{Error, Result};

/// A `[rows, columns]` array of f32 in a graph: one row for each image, or for each sample of one, whatever shape it is
/// seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    pub(super) id: usize,
    /// Images in the batch, or samples of them.
    pub rows: u32,
    /// Numbers in a row.
    pub columns: u32,
}

impl Tensor {
    /// `rows * columns`
    pub const fn count(self) -> u32 {
        self.rows * self.columns
    }
}

/// What the graph knows of a tensor while it is built.
#[derive(Debug)]
pub(super) struct TensorState {
    pub(super) label: String,
    pub(super) shape: [u32; 2],
    pub(super) value: Slice,
    // The activation that made it and what the forward pass kept for its slope.
    pub(super) activation: Option<(Activation, Slice)>,
    // The tensor that activation was applied to, where it is one, and not inside of a layer.
    pub(super) applied_to: Option<Tensor>,
    // Where in another tensor each of its elements stood, where a pooling made it.
    pub(super) pooled: Option<(MaxPool, Slice)>,
    // Which draw its first sample is, where it is a Gaussian code.
    pub(super) sample: Option<u32>,
    // In the update under way, of its value and of what the activation was applied to: see gradient.rs.
    pub(super) gradient: Option<Slice>,
    pub(super) preactivation_gradient: Option<Slice>,
}

impl Graph {
    pub(super) fn tensor(&mut self, label: impl Into<String>, rows: u32, columns: u32) -> Tensor {
        let label = label.into();
        let value = self.buffer(&label, rows as usize * columns as usize, false);
        self.tensor_at(label, [rows, columns], value)
    }

    /// A tensor whose numbers are there already.
    pub(super) fn tensor_at(&mut self, label: String, [rows, columns]: [u32; 2], value: Slice) -> Tensor {
        self.tensors.push(TensorState {
            label,
            shape: [rows, columns],
            value,
            activation: None,
            applied_to: None,
            pooled: None,
            sample: None,
            gradient: None,
            preactivation_gradient: None,
        });
        Tensor { id: self.tensors.len() - 1, rows, columns }
    }

    /// Fails for a tensor that another graph made.
    pub(super) fn know(&self, operation: &str, tensor: Tensor) -> Result<()> {
        let shape = [tensor.rows, tensor.columns];
        match self.tensors.get(tensor.id) {
            Some(known) if known.shape == shape => Ok(()),
            _ => Err(Error::shape(operation, "a tensor of this graph", format!("{shape:?} of another"))),
        }
    }

    pub(super) fn value(&self, tensor: Tensor) -> Slice {
        self.tensors[tensor.id].value
    }

    pub(super) fn label(&self, tensor: Tensor) -> String {
        self.tensors[tensor.id].label.clone()
    }
}
