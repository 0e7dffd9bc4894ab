//! Where each gradient goes while the tape unwinds, and whether it is written or added.

use super::build::GRADIENTS;
use super::{Graph, Parameter, Slice, Tensor};
use crate::Result;
use crate::kernels::activation;

/// The gradient of a tensor's value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gradient {
    pub(super) slice: Slice,
    /// Whether the activation's slope is already in it.
    pub(super) through_activation: bool,
}

impl Graph {
    /// Where a gradient of `tensor` is to be written, and whether to add to what is there.
    ///
    /// The caller must write it: a later caller is told to accumulate.
    pub(super) fn gradient_target(&mut self, tensor: Tensor) -> (Slice, bool) {
        if let Some(gradient) = self.tensors[tensor.id].gradient {
            return (gradient.slice, true);
        }
        let label = format!("d {}", self.label(tensor));
        let slice = self.buffer(label, tensor.count() as usize, false);
        self.tensors[tensor.id].gradient = Some(Gradient { slice, through_activation: false });
        (slice, false)
    }

    /// As [`Graph::gradient_target`], for a parameter: one that is used twice gets the sum.
    pub(super) fn parameter_gradient(&mut self, parameter: &Parameter) -> (Slice, bool) {
        let first = self.parameters_with_gradient.insert(parameter.offset);
        (parameter.slice(GRADIENTS), !first)
    }

    /// The finished gradient of `tensor` before its activation, or None where nothing sent one.
    pub(super) fn preactivation_gradient(&mut self, tensor: Tensor) -> Result<Option<Slice>> {
        let Some(gradient) = self.tensors[tensor.id].gradient else { return Ok(None) };
        match self.tensors[tensor.id].activation {
            Some((activation, kept)) if !gradient.through_activation => {
                let label = format!("d {} before {activation}", self.label(tensor));
                let slice = self.buffer(&label, tensor.count() as usize, false);
                let kernel = activation::Backward { count: tensor.count(), activation, accumulate: false };
                self.record(label, kernel, &[gradient.slice, kept, slice])?;
                Ok(Some(slice))
            }
            _ => Ok(Some(gradient.slice)),
        }
    }
}
