//! The graph while it is built: buffers, tensors, and the dispatches recorded so far.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::keep::Keeping;
use super::liveness::{run_only_what_is_used, share_memory};
use super::parameters::{ALIGNMENT, MODEL};
use super::plan::{BufferId, BufferSpec, Content, Dispatch, Phase, Plan, Slice};
use super::stores::qualified;
use super::tape::{Recorded, Unwinding};
use super::tensor::TensorState;
use super::{Exchange, Images, Share, Store, StoreKind, Tensor, TermSpec};
use crate::kernels::state::State;
use crate::kernels::step::Scheduled;
use crate::rng::Stream;
use crate::{Error, Result};

/// Records operations, then unwinds them backward. Gone once the plan is made.
///
/// # Errors
/// All methods fail with [`Shape`](crate::Error::Shape) for tensors, parameters and slots of another graph, and for
/// shapes that do not fit; with [`TooLarge`](crate::Error::TooLarge) for more numbers than 32 bits count; and with
/// [`Setting`](crate::Error::Setting) for settings and extents that are not possible. Other errors are listed per method.
pub struct Graph {
    // Which graph of the program it is: its tensors have the number too.
    pub(super) number: usize,
    pub(super) buffers: Vec<BufferSpec>,
    pub(super) tensors: Vec<TensorState>,
    pub(super) batch: u32,
    pub(super) share: Share,
    // What is exchanged before the next dispatch.
    pub(super) exchanges: Vec<Exchange>,
    // How many draws of each stream there are so far.
    instances: BTreeMap<u32, u32>,
    pub(super) terms: Vec<TermSpec>,
    pub(super) dispatches: Vec<Dispatch>,
    pub(super) tape: Vec<Recorded>,
    pub(super) unwinding: Unwinding,
    pub(super) stores: Vec<Store>,
    pub(super) store_buffers: Vec<BufferId>,
    // The names of all slots in a checkpoint.
    pub(super) slot_names: BTreeSet<String>,
    // How many parameters were declared.
    pub(super) declared: u32,
    // The names of the updates, the groups that they move, and their numbers that depend on the step.
    pub(super) updates: Vec<String>,
    pub(super) moved: BTreeSet<String>,
    pub(super) scheduled: Vec<Scheduled>,
    pub(super) advanced: bool,
    // The dispatches so far that keep the means of terms.
    pub(super) keeping: Vec<Keeping>,
    pub(super) named: BTreeMap<String, Slice>,
    pub(super) phase: Phase,
    pub(super) images: Option<(Images, bool)>,
    training: bool,
    // Whether the codes of all images draw the same noise.
    pub(super) draws_alike: bool,
}

pub(super) const STATE: BufferId = BufferId(0);

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
        static GRAPHS: AtomicUsize = AtomicUsize::new(0);
        let mut graph = Self {
            number: GRAPHS.fetch_add(1, Ordering::Relaxed),
            buffers: Vec::new(),
            tensors: Vec::new(),
            batch,
            share: Share::all(batch),
            exchanges: Vec::new(),
            instances: BTreeMap::new(),
            terms: Vec::new(),
            dispatches: Vec::new(),
            tape: Vec::new(),
            unwinding: Unwinding::default(),
            stores: Vec::new(),
            store_buffers: Vec::new(),
            slot_names: BTreeSet::new(),
            declared: 0,
            updates: Vec::new(),
            moved: BTreeSet::new(),
            scheduled: Vec::new(),
            advanced: false,
            keeping: Vec::new(),
            named: BTreeMap::new(),
            phase: Phase::Forward,
            images: None,
            training,
            draws_alike: false,
        };
        let state = graph.named_buffer("state", State::WORDS);
        graph.hold_integers(state);
        graph.store(&qualified("parameters", &[MODEL]), StoreKind::Parameters, "");
        graph
    }

    /// The same graph, in which the Gaussian codes of all images draw the same noise, so that an image's result does not depend
    /// on its place in the batch.
    pub fn drawing_alike(mut self) -> Self {
        self.draws_alike = true;
        self
    }

    /// Whether it is for training, and not for [inference](Graph::inference).
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// Images in a batch.
    pub fn batch_size(&self) -> u32 {
        self.batch
    }

    /// The step's state.
    pub(super) fn state(&self) -> Slice {
        Slice { buffer: STATE, offset: 0, words: State::WORDS }
    }

    /// The number of the next draw from `stream`: those of a graph are independent.
    pub(super) fn instance(&mut self, stream: Stream) -> u32 {
        let next = self.instances.entry(stream as u32).or_default();
        *next += 1;
        *next - 1
    }

    pub(super) fn buffer(&mut self, label: impl Into<String>, words: usize) -> Slice {
        let (label, words) = (label.into(), words.next_multiple_of(ALIGNMENT));
        self.buffers.push(BufferSpec { label, words, persistent: false, content: Content::Floats });
        Slice { buffer: BufferId(self.buffers.len() - 1), offset: 0, words }
    }

    /// A buffer that the host reads or writes as a range of this name and so many words.
    pub(super) fn named_buffer(&mut self, name: impl Into<String>, words: usize) -> Slice {
        let name = name.into();
        let slice = self.buffer(&name, words);
        self.name(name, Slice { words, ..slice });
        slice
    }

    pub(super) fn integer_buffer(&mut self, label: &str, words: usize) -> Slice {
        let slice = self.buffer(label, words);
        self.hold_integers(slice);
        slice
    }

    /// Has comparisons take a buffer's words for whole numbers.
    pub(super) fn hold_integers(&mut self, slice: Slice) {
        self.buffers[slice.buffer.0].content = Content::Integers;
    }

    /// Gives the host a name for a range. Named ranges keep their content.
    pub(super) fn name(&mut self, name: impl Into<String>, slice: Slice) {
        self.buffers[slice.buffer.0].persistent = true;
        self.named.insert(name.into(), slice);
    }

    /// Lets the host read `tensor` under `name`, which nothing else has, after a step: `[rows, columns]`, row-major.
    pub fn output(&mut self, name: &str, tensor: Tensor) -> Result<()> {
        self.know(name, tensor)?;
        self.check_new_range("input or output", name)?;
        self.name(name, Slice { words: tensor.count() as usize, ..self.value(tensor) });
        Ok(())
    }

    /// Fails for a name under which the host reads or writes something else.
    pub(super) fn check_new_range(&self, what: &str, name: &str) -> Result<()> {
        if self.named.contains_key(name) {
            return Err(Error::setting(what, "a name that nothing else in the plan has", name));
        }
        Ok(())
    }

    /// Whether a range lies in a buffer of this graph. Those of stores grow with what is declared.
    pub(super) fn holds(&self, slice: &Slice) -> bool {
        let declared = self.store_buffers.iter().position(|buffer| *buffer == slice.buffer);
        let declared = declared.map_or(0, |at| self.stores[at].layout.words());
        let end = slice.offset.saturating_add(slice.words);
        let buffer = self.buffers.get(slice.buffer.0);
        slice.offset.is_multiple_of(ALIGNMENT)
            && buffer.is_some_and(|buffer| end <= buffer.words.max(declared))
    }

    /// A tensor that the host writes under `name` before a step.
    pub fn input(&mut self, name: &str, rows: u32, columns: u32) -> Result<Tensor> {
        let tensor = self.tensor(name, [rows, columns])?;
        self.output(name, tensor)?;
        Ok(tensor)
    }

    /// The plan. Temporary buffers whose lives do not overlap share memory. With `keep_all` none do: for comparisons,
    /// every intermediate result survives the step.
    pub fn finish(mut self, keep_all: bool) -> Plan {
        // All gradients are taken before any parameter moves.
        self.dispatches.sort_by_key(|dispatch| dispatch.phase == Phase::Update);
        run_only_what_is_used(&self.buffers, &mut self.dispatches);
        for (store, buffer) in self.stores.iter().zip(&self.store_buffers) {
            let words = store.layout.words();
            self.buffers[buffer.0].words = words.max(ALIGNMENT);
            self.named.insert(store.name.clone(), Slice { buffer: *buffer, offset: 0, words });
        }
        if !keep_all {
            share_memory(&mut self.buffers, &mut self.dispatches, &mut self.named);
        }
        Plan {
            buffers: self.buffers,
            dispatches: self.dispatches,
            stores: self.stores,
            named: self.named,
            batch: self.batch,
            share: self.share,
            terms: self.terms,
            images: self.images,
        }
    }
}
