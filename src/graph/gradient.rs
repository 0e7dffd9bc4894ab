//! Where each gradient goes while the tape unwinds, and whether it is written or added.
//!
//! A tensor that an activation made has two: that of its value, and that of what the activation was applied
//! to. Most operations send the former. Some send the latter: a layer, or a pooling whose windows lie side by side,
//! that multiplies with the slope on its way out, and the gradient of a slope, which reaches the pre-activation and
//! never the value.

use super::{Graph, Parameter, Slice, Tensor};
use crate::Result;
use crate::kernels::Kernel;
use crate::kernels::activation::{Activate, Activation, Pass};

/// Where an operation sends a gradient that has passed the activation: see [`Graph::fused_target`].
#[derive(Clone, Copy, Debug)]
pub(super) struct FusedTarget {
    pub(super) activation: Activation,
    /// What its slope is computed from.
    pub(super) kept: Slice,
    pub(super) slice: Slice,
    pub(super) accumulate: bool,
}

impl Graph {
    /// Where a gradient of `tensor` is to be written, and whether to add to what is there.
    ///
    /// The caller must write it: later callers add to it.
    pub(super) fn gradient_target(&mut self, tensor: Tensor) -> (Slice, bool) {
        if let Some(slice) = self.tensors[tensor.id].gradient {
            return (slice, true);
        }
        let label = format!("d {}", self.label(tensor));
        let slice = self.buffer(label, tensor.count() as usize);
        self.tensors[tensor.id].gradient = Some(slice);
        (slice, false)
    }

    /// Sends `x` a gradient, where the update under way wants it: what a kernel, that adds if it is given true, makes of
    /// `reads`.
    pub(super) fn send<K: Kernel + 'static>(
        &mut self,
        x: Tensor,
        reads: &[Slice],
        kernel: impl FnOnce(bool) -> K,
    ) -> Result<()> {
        if !self.needs_gradient(x) {
            return Ok(());
        }
        let label = format!("d {}", self.label(x));
        let (dx, accumulate) = self.gradient_target(x);
        self.record(label, kernel(accumulate), &[reads, &[dx]].concat())
    }

    /// As [`Graph::gradient_target`], for the gradient of what `tensor`'s activation was applied to.
    pub(super) fn preactivation_target(&mut self, tensor: Tensor) -> (Slice, bool) {
        let state = &self.tensors[tensor.id];
        let Some((activation, _)) = state.activation else { return self.gradient_target(tensor) };
        if let Some(below) = state.applied_to {
            return self.gradient_target(below);
        }
        if let Some(slice) = state.preactivation_gradient {
            return (slice, true);
        }
        let label = format!("d {} before {activation}", state.label);
        let slice = self.buffer(label, tensor.count() as usize);
        self.tensors[tensor.id].preactivation_gradient = Some(slice);
        (slice, false)
    }

    /// Where the only operation that sends `tensor` a gradient of its value may send it already multiplied
    /// with the activation's slope. None where there are several, or no activation.
    ///
    /// The caller must write it.
    pub(super) fn fused_target(&mut self, tensor: Tensor) -> Option<FusedTarget> {
        let state = &self.tensors[tensor.id];
        let alone = self.uses(tensor) == 1 && state.gradient.is_none();
        let (activation, kept) = state.activation.filter(|_| alone)?;
        let (slice, accumulate) = self.preactivation_target(tensor);
        Some(FusedTarget { activation, kept, slice, accumulate })
    }

    /// As [`Graph::gradient_target`], for a parameter: one that is used twice gets the sum. None where the update under
    /// way does not move it.
    pub(super) fn parameter_gradient(&mut self, parameter: &Parameter) -> Result<Option<(Slice, bool)>> {
        let Some(buffer) = self.unwinding.gradients.get(&parameter.store).copied() else { return Ok(None) };
        let first = self.unwinding.sent.insert((parameter.store, parameter.offset));
        if !first {
            self.sum_parts_of(parameter)?;
        }
        Ok(Some((parameter.slice(buffer), !first)))
    }

    /// The finished gradient of `tensor` before its activation, or None where nothing sent one.
    pub(super) fn preactivation_gradient(&mut self, tensor: Tensor) -> Result<Option<Slice>> {
        let state = &self.tensors[tensor.id];
        let (of_value, sent) = (state.gradient, state.preactivation_gradient);
        let (Some(of_value), Some((activation, kept))) = (of_value, state.activation) else {
            return Ok(of_value.or(sent));
        };
        let (slice, accumulate) = self.preactivation_target(tensor);
        let label = format!("d {} before {activation}", self.label(tensor));
        let kernel = Activate { count: tensor.count(), pass: Pass::Backward, activation, accumulate };
        self.record(label, kernel, &[of_value, kept, slice])?;
        Ok(Some(slice))
    }
}
