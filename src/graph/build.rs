//! The build-time tape: buffers, tensors, and the dispatches recorded so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use narrows_shaders::Access;

use super::ParameterLayout;
use super::liveness::share_memory;
use super::parameters::ALIGNMENT;
use super::plan::{BufferId, BufferSpec, Content, Dispatch, Phase, Plan, Slice};
use crate::kernels::activation::Activation;
use crate::kernels::loss::ContinuousMean;
use crate::kernels::pool::MaxPool;
use crate::kernels::state::State;
use crate::kernels::{self, Kernel};
use crate::{Error, Result};

/// A `[rows, columns]` array of f32 in a graph: one row an image, whatever shape it is seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tensor {
    pub(super) id: usize,
    /// Images in the batch.
    pub rows: u32,
    /// Numbers an image.
    pub columns: u32,
}

impl Tensor {
    /// `rows * columns`
    pub const fn count(self) -> u32 {
        self.rows * self.columns
    }
}

// What the graph knows of a tensor while it is built.
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
    // How many recorded operations will send a gradient.
    pub(super) uses: usize,
    pub(super) needs_gradient: bool,
    // Of its value, and of what the activation was applied to: see gradient.rs.
    pub(super) gradient: Option<Slice>,
    pub(super) preactivation_gradient: Option<Slice>,
}

type Backward = Box<dyn FnOnce(&mut Graph) -> Result<()>>;

/// Records operations, then unwinds them backward. Gone once the plan is made.
pub struct Graph {
    pub(super) buffers: Vec<BufferSpec>,
    pub(super) tensors: Vec<TensorState>,
    pub(super) layout: ParameterLayout,
    pub(super) batch: u32,
    // How many dropout layers there are so far.
    pub(super) dropouts: u32,
    pub(super) terms: Vec<String>,
    // The offsets of those that a dispatch recorded so far sends a gradient.
    pub(super) parameters_with_gradient: BTreeSet<usize>,
    dispatches: Vec<Dispatch>,
    tape: Vec<Backward>,
    named: BTreeMap<String, Slice>,
    phase: Phase,
    training: bool,
    pub(super) statistics: ParameterLayout,
    pub(super) statistics_buffer: Option<BufferId>,
}

// The flat buffers exist from the start; the parameters' size is known only at the end.
pub(super) const PARAMETERS: BufferId = BufferId(0);
pub(super) const GRADIENTS: BufferId = BufferId(1);
pub(super) const STATE: BufferId = BufferId(2);

impl Graph {
    /// A graph to train on batches of `batch` images.
    pub fn new(batch: u32) -> Self {
        Self::with(batch, true)
    }

    /// A graph to use what was trained, on batches of `batch` images: dropout does nothing, and batch normalisation
    /// takes the running statistics, so that an image's result does not depend on the others of its batch.
    pub fn inference(batch: u32) -> Self {
        Self::with(batch, false)
    }

    fn with(batch: u32, training: bool) -> Self {
        let mut graph = Self {
            buffers: Vec::new(),
            tensors: Vec::new(),
            layout: ParameterLayout::default(),
            batch,
            dropouts: 0,
            terms: Vec::new(),
            parameters_with_gradient: BTreeSet::new(),
            dispatches: Vec::new(),
            tape: Vec::new(),
            named: BTreeMap::new(),
            phase: Phase::Forward,
            training,
            statistics: ParameterLayout::default(),
            statistics_buffer: None,
        };
        graph.buffer("parameters", 0, true);
        graph.buffer("gradients", 0, true);
        let state = graph.buffer("state", State::WORDS, true);
        graph.buffers[STATE.0].content = Content::State;
        graph.name("state", state);
        graph
    }

    /// Whether it is for training, and not for [inference](Graph::inference).
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// The step's state.
    pub(super) fn state(&self) -> Slice {
        Slice { buffer: STATE, offset: 0, words: State::WORDS }
    }

    pub(super) fn buffer(&mut self, label: impl Into<String>, words: usize, persistent: bool) -> Slice {
        let words = words.next_multiple_of(ALIGNMENT);
        self.buffers.push(BufferSpec { label: label.into(), words, persistent, content: Content::Floats });
        Slice { buffer: BufferId(self.buffers.len() - 1), offset: 0, words }
    }

    pub(super) fn integer_buffer(&mut self, label: &str, words: usize, persistent: bool) -> Slice {
        let slice = self.buffer(label, words, persistent);
        self.buffers[slice.buffer.0].content = Content::Integers;
        slice
    }

    /// Gives the host a name for a range. Named ranges keep their content.
    pub(super) fn name(&mut self, name: impl Into<String>, slice: Slice) {
        self.buffers[slice.buffer.0].persistent = true;
        self.named.insert(name.into(), slice);
    }

    /// Lets the host read `tensor` under `name` after a step: `[rows, columns]`, row-major.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph.
    pub fn output(&mut self, name: &str, tensor: Tensor) -> Result<()> {
        self.know(name, tensor)?;
        self.name(name, Slice { words: tensor.count() as usize, ..self.value(tensor) });
        Ok(())
    }

    /// A tensor that the host writes under `name` before a step.
    pub fn input(&mut self, name: &str, rows: u32, columns: u32) -> Tensor {
        let tensor = self.tensor(name, rows, columns, false);
        self.name(name, Slice { words: tensor.count() as usize, ..self.value(tensor) });
        tensor
    }

    pub(super) fn tensor(
        &mut self,
        label: impl Into<String>,
        rows: u32,
        columns: u32,
        needs_gradient: bool,
    ) -> Tensor {
        let label = label.into();
        let value = self.buffer(&label, rows as usize * columns as usize, false);
        self.tensors.push(TensorState {
            label,
            shape: [rows, columns],
            value,
            activation: None,
            applied_to: None,
            pooled: None,
            uses: 0,
            needs_gradient,
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

    /// Notes that an operation will send `tensor` a gradient.
    pub(super) fn will_use(&mut self, tensor: Tensor) {
        self.tensors[tensor.id].uses += 1;
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        self.phase = phase;
    }

    pub(super) fn push_backward(&mut self, backward: impl FnOnce(&mut Graph) -> Result<()> + 'static) {
        self.tape.push(Box::new(backward));
    }

    /// Unwinds the tape: the last operation recorded goes backward first.
    pub(super) fn backward(&mut self) -> Result<()> {
        self.enter(Phase::Backward);
        while let Some(backward) = self.tape.pop() {
            backward(self)?;
        }
        Ok(())
    }

    /// Holds a kernel's extents and settings against its limits; an error names the operation.
    pub(super) fn check_kernel(&self, label: &str, kernel: &dyn Kernel) -> Result<()> {
        kernels::check(kernel).map_err(|error| match error {
            Error::Setting { setting, expected, got } => {
                Error::Setting { setting: format!("{label}: {setting}"), expected, got }
            }
            other => other,
        })
    }

    /// Records one kernel, holding its extents against its limits and the operands' sizes against what it
    /// needs.
    pub(super) fn record(
        &mut self,
        label: impl Into<String>,
        kernel: impl Kernel + 'static,
        operands: &[Slice],
    ) -> Result<()> {
        let label = label.into();
        self.check_kernel(&label, &kernel)?;
        let needed = kernel.operands();
        if needed.len() != operands.len() {
            let count = |n: usize| format!("{n} operands");
            return Err(Error::shape(label, count(needed.len()), count(operands.len())));
        }
        for (needed, given) in needed.iter().zip(operands) {
            if given.words < needed.words {
                let operation = format!("{label}: {} operand {}", kernel.name(), needed.name);
                return Err(Error::shape(
                    operation,
                    format!("{} words", needed.words),
                    format!("{} words", given.words),
                ));
            }
        }
        // A device refuses one buffer both read and written in a dispatch, even on disjoint ranges.
        let written = |at: usize| needed[at].access == Access::ReadWrite;
        for (at, slice) in operands.iter().enumerate().filter(|(at, _)| written(*at)) {
            let again = operands.iter().enumerate().any(|(other, o)| other != at && o.buffer == slice.buffer);
            if again {
                let expected = format!("{} in a buffer of its own", needed[at].name);
                return Err(Error::shape(label, expected, "one that another operand shares"));
            }
        }
        let operands = operands.to_vec();
        self.dispatches.push(Dispatch { label, phase: self.phase, kernel: Arc::new(kernel), operands });
        Ok(())
    }

    /// The mean image that the logits of a continuous Bernoulli stand for. Carries no gradient: for outputs.
    ///
    /// # Errors
    /// [`Error::Shape`] for a tensor of another graph.
    pub fn continuous_mean(&mut self, label: &str, logits: Tensor) -> Result<Tensor> {
        self.know(label, logits)?;
        let mean = self.tensor(label, logits.rows, logits.columns, false);
        let operands = [self.value(logits), self.value(mean)];
        self.record(label, ContinuousMean { count: logits.count() }, &operands)?;
        Ok(mean)
    }

    /// The plan. Temporary buffers whose lives do not overlap share memory, unless `keep_all` asks that
    /// every intermediate result survive the step, for comparisons.
    pub fn finish(mut self, keep_all: bool) -> Plan {
        let words = self.layout.words().max(ALIGNMENT);
        for (buffer, name) in [(PARAMETERS, "parameters"), (GRADIENTS, "gradients")] {
            self.buffers[buffer.0].words = words;
            self.name(name, Slice { buffer, offset: 0, words: self.layout.words() });
        }
        if !keep_all {
            share_memory(&mut self.buffers, &mut self.dispatches, &mut self.named);
        }
        Plan {
            buffers: self.buffers,
            dispatches: self.dispatches,
            parameters: self.layout,
            statistics: self.statistics,
            named: self.named,
            batch: self.batch,
            terms: self.terms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::activation;

    #[test]
    fn a_dispatch_that_writes_what_it_reads_is_refused() {
        let mut graph = Graph::new(1);
        let buffer = graph.buffer("x", 2 * ALIGNMENT, false);
        let kernel = || activation::Forward { count: 3, activation: Activation::Relu };
        let half = Slice { offset: ALIGNMENT, words: ALIGNMENT, ..buffer };
        for operands in [[buffer, buffer], [Slice { words: ALIGNMENT, ..buffer }, half]] {
            let message = graph.record("relu", kernel(), &operands).err().map(|error| error.to_string());
            let message = message.unwrap_or_default();
            assert!(message.contains("relu") && message.contains("a buffer of its own"), "{message}");
        }
        let other = graph.buffer("y", ALIGNMENT, false);
        assert!(graph.record("relu", kernel(), &[buffer, other]).is_ok());
        assert!(graph.record("relu", kernel(), &[buffer]).is_err(), "one operand is missing");
        let short = Slice { words: 2, ..other };
        assert!(graph.record("relu", kernel(), &[buffer, short]).is_err(), "one operand is too short");
    }
}
