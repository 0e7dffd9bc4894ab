//! The tape: what each operation read and made, and its way back. An update unwinds as much of it as leads from its
//! terms to the parameters that it moves.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::plan::{BufferId, Phase};
use super::{Graph, Parameter, Tensor};
use crate::Result;

type Backward = Rc<dyn Fn(&mut Graph) -> Result<()>>;

/// What an operation reads and makes.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// What it sends a gradient of the value.
    pub(super) inputs: Vec<usize>,
    /// What it sends a gradient past the activation: through the slope.
    pub(super) bends: Vec<usize>,
    /// The stores of the parameters it reads.
    pub(super) stores: Vec<usize>,
    pub(super) outputs: Vec<usize>,
}

impl Links {
    /// From `inputs` to `output`.
    pub(super) fn new(inputs: &[Tensor], output: Tensor) -> Self {
        Self::between(inputs, &[output])
    }

    /// From `inputs` to `outputs`.
    pub(super) fn between(inputs: &[Tensor], outputs: &[Tensor]) -> Self {
        let ids = |tensors: &[Tensor]| tensors.iter().map(|tensor| tensor.id).collect();
        Self { inputs: ids(inputs), outputs: ids(outputs), ..Self::default() }
    }

    pub(super) fn through(self, parameters: &[&Parameter]) -> Self {
        Self { stores: parameters.iter().map(|parameter| parameter.store).collect(), ..self }
    }

    pub(super) fn bending(self, tensor: Tensor) -> Self {
        Self { bends: vec![tensor.id], ..self }
    }

    fn read(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().chain(&self.bends).copied()
    }
}

/// An operation on the tape.
#[derive(Clone)]
pub(super) struct Recorded {
    links: Links,
    backward: Backward,
}

impl Unwinding {
    /// Of an update that moves the stores of these gradients.
    pub(super) fn of(name: &str, every: u32, gradients: BTreeMap<usize, BufferId>) -> Self {
        let moves = gradients.keys().copied().collect();
        Self { name: name.to_owned(), every, moves, gradients, ..Self::default() }
    }
}

/// What an update knows while it unwinds the tape.
#[derive(Debug, Default)]
pub(super) struct Unwinding {
    /// The update's name.
    pub(super) name: String,
    /// Every how many steps it runs.
    pub(super) every: u32,
    /// The stores it moves.
    pub(super) moves: BTreeSet<usize>,
    /// The flat buffers of gradients, by store.
    pub(super) gradients: BTreeMap<usize, BufferId>,
    /// The parameters, by store and offset, that a dispatch recorded so far sends a gradient.
    pub(super) sent: BTreeSet<(usize, usize)>,
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
        backward: impl Fn(&mut Graph) -> Result<()> + 'static,
    ) {
        self.tape.push(Recorded { links, backward: Rc::new(backward) });
    }

    /// Whether the update under way wants the tensor's gradient.
    pub(super) fn needs_gradient(&self, tensor: Tensor) -> bool {
        self.unwinding.needed.get(tensor.id).copied().unwrap_or(false)
    }

    /// Whether the update under way moves the parameter.
    pub(super) fn moves(&self, parameter: &Parameter) -> bool {
        self.unwinding.moves.contains(&parameter.store)
    }

    /// How many operations send the tensor a gradient of its value.
    pub(super) fn uses(&self, tensor: Tensor) -> usize {
        self.unwinding.uses.get(tensor.id).copied().unwrap_or(0)
    }

    /// Prepares the way back to what moves: no tensor has a gradient yet.
    pub(super) fn begin_unwinding(&mut self, unwinding: Unwinding) {
        self.unwinding = unwinding;
        let mut needed = vec![false; self.tensors.len()];
        for Recorded { links, .. } in &self.tape {
            let moves = links.stores.iter().any(|store| self.unwinding.moves.contains(store));
            if moves || links.read().any(|tensor| needed[tensor]) {
                links.outputs.iter().for_each(|output| needed[*output] = true);
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
        for recorded in self.tape.iter().rev() {
            let links = &recorded.links;
            let needed = |tensor: &usize| self.unwinding.needed.get(*tensor).copied().unwrap_or(false);
            if !links.outputs.iter().any(|output| reached[*output] && needed(output)) {
                continue;
            }
            links.read().filter(needed).for_each(|tensor| reached[tensor] = true);
            links.inputs.iter().for_each(|tensor| uses[*tensor] += 1);
            active.push(Rc::clone(&recorded.backward));
        }
        self.unwinding.uses = uses;
        active.into_iter().try_for_each(|backward| backward(self))
    }
}
