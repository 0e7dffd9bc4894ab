//! The tape: what each operation read and made, and its way back. An update unwinds the part that leads from its terms
//! to the parameters that it moves.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::parts::Parts;
use super::plan::{BufferId, Phase};
use super::{Graph, Parameter, Slice, Tensor};
use crate::Result;

type Backward = Rc<dyn Fn(&mut Graph) -> Result<()>>;

/// What an operation reads that may want a gradient.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// The tensors that it sends a gradient of the value.
    inputs: Vec<usize>,
    /// The tensors that it sends a gradient past the activation: through the slope.
    bends: Vec<usize>,
    /// The stores of the parameters that it reads.
    stores: Vec<usize>,
}

impl Links {
    pub(super) fn of(inputs: &[Tensor]) -> Self {
        Self { inputs: inputs.iter().map(|tensor| tensor.id).collect(), ..Self::default() }
    }

    pub(super) fn through(self, parameters: &[&Parameter]) -> Self {
        Self { stores: parameters.iter().map(|parameter| parameter.store).collect(), ..self }
    }

    pub(super) fn bending(tensor: Tensor) -> Self {
        Self { bends: vec![tensor.id], ..Self::default() }
    }

    fn read(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().chain(&self.bends).copied()
    }
}

impl<const N: usize> From<[Tensor; N]> for Links {
    fn from(inputs: [Tensor; N]) -> Self {
        Self::of(&inputs)
    }
}

/// An operation on the tape.
#[derive(Clone)]
pub(super) struct Recorded {
    links: Links,
    outputs: Vec<usize>,
    backward: Backward,
}

/// What an update knows while it unwinds the tape.
#[derive(Debug, Default)]
pub(super) struct Unwinding {
    /// The update's name.
    pub(super) name: String,
    /// Every how many steps it runs.
    pub(super) every: u32,
    /// The flat buffers of gradients, by the store that it moves.
    pub(super) gradients: BTreeMap<usize, BufferId>,
    /// The parameters, by store and offset, that a dispatch recorded so far sends a gradient.
    pub(super) sent: BTreeSet<(usize, usize)>,
    /// What its gradients are still to be summed of.
    pub(super) parts: Parts,
    /// Whether each tensor's gradient leads to a parameter that moves.
    needed: Vec<bool>,
    /// How many recorded operations will send each tensor a gradient of its value.
    uses: Vec<usize>,
}

impl Graph {
    /// Puts an operation's way back on the tape.
    pub(super) fn push_backward(
        &mut self,
        links: Links,
        outputs: &[Tensor],
        backward: impl Fn(&mut Self) -> Result<()> + 'static,
    ) {
        let outputs = outputs.iter().map(|tensor| tensor.id).collect();
        self.tape.push(Recorded { links, outputs, backward: Rc::new(backward) });
    }

    /// As [`Graph::push_backward`], for what made `output` alone: `record` is given its finished gradient, before the
    /// activation, where one arrives.
    pub(super) fn send_back(
        &mut self,
        links: impl Into<Links>,
        output: Tensor,
        record: impl Fn(&mut Self, Slice) -> Result<()> + 'static,
    ) {
        self.push_backward(links.into(), &[output], move |graph| {
            match graph.preactivation_gradient(output)? {
                Some(gradient) => record(graph, gradient),
                None => Ok(()),
            }
        });
    }

    /// Whether the update under way wants the tensor's gradient.
    pub(super) fn needs_gradient(&self, tensor: Tensor) -> bool {
        self.unwinding.needed.get(tensor.id).copied().unwrap_or(false)
    }

    /// Whether the update under way moves the parameter.
    pub(super) fn moves(&self, parameter: &Parameter) -> bool {
        self.unwinding.gradients.contains_key(&parameter.store)
    }

    /// How many operations send the tensor a gradient of its value.
    pub(super) fn uses(&self, tensor: Tensor) -> usize {
        self.unwinding.uses.get(tensor.id).copied().unwrap_or(0)
    }

    /// Prepares the way back of an update to the stores of these gradients: no tensor has a gradient yet.
    pub(super) fn begin_unwinding(&mut self, name: &str, every: u32, gradients: BTreeMap<usize, BufferId>) {
        self.unwinding = Unwinding { name: name.to_owned(), every, gradients, ..Unwinding::default() };
        let mut needed = vec![false; self.tensors.len()];
        for Recorded { links, outputs, .. } in &self.tape {
            let moves = links.stores.iter().any(|store| self.unwinding.gradients.contains_key(store));
            if moves || links.read().any(|tensor| needed[tensor]) {
                outputs.iter().for_each(|output| needed[*output] = true);
            }
        }
        self.unwinding.needed = needed;
        for tensor in &mut self.tensors {
            (tensor.gradient, tensor.preactivation_gradient) = (None, None);
        }
    }

    /// Unwinds the tape from the tensors that have a gradient by now: the last operation recorded goes backward first.
    pub(super) fn unwind(&mut self, from: &[Tensor]) -> Result<()> {
        self.phase = Phase::Backward;
        let mut reached = vec![false; self.tensors.len()];
        from.iter().for_each(|tensor| reached[tensor.id] = self.needs_gradient(*tensor));
        let mut uses = vec![0; self.tensors.len()];
        let mut active = Vec::new();
        for Recorded { links, outputs, backward } in self.tape.iter().rev() {
            let needed = |tensor: &usize| self.unwinding.needed.get(*tensor).copied().unwrap_or(false);
            if !outputs.iter().any(|output| reached[*output] && needed(output)) {
                continue;
            }
            links.read().filter(needed).for_each(|tensor| reached[tensor] = true);
            links.inputs.iter().for_each(|tensor| uses[*tensor] += 1);
            active.push(Rc::clone(backward));
        }
        self.unwinding.uses = uses;
        active.into_iter().try_for_each(|backward| backward(self))?;
        self.sum_pending_parts()
    }
}
