//! The build-time tape: buffers, tensors, and the dispatches recorded so far.

use std::collections::{BTreeMap, BTreeSet};

use super::liveness::share_memory;
use super::parameters::ALIGNMENT;
use super::plan::{BufferId, BufferSpec, Content, Dispatch, Phase, Plan, Slice};
use super::tensor::TensorState;
use super::{ParameterLayout, Tensor};
use crate::Result;
use crate::kernels::state::State;

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
    pub(super) dispatches: Vec<Dispatch>,
    tape: Vec<Backward>,
    named: BTreeMap<String, Slice>,
    pub(super) phase: Phase,
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
    /// [`Error::Shape`](crate::Error::Shape) for a tensor of another graph.
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
