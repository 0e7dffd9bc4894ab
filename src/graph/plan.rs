//! The flat list of labelled dispatches that a step is, and the buffers it works on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::parameters::BINDING;
use super::{Exchange, Images, ParameterLayout, Share, Store, StoreKind, TermSpec};
use crate::gpu::Variants;
use crate::kernels::{self, Kernel};
use crate::{Error, Result};

/// One buffer of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BufferId(pub(super) usize);

/// What a buffer is for, and how large it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BufferSpec {
    /// Its name in reports and debuggers.
    pub label: String,
    /// 32-bit words.
    pub words: usize,
    /// Whether its content matters beyond one step, or is read by the host. Others may share memory.
    pub persistent: bool,
    /// How its words are to be read.
    pub content: Content,
}

/// How a buffer's words are to be read, where two devices' are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Content {
    /// As f32, which devices round differently.
    Floats,
    /// As whole numbers, which must be equal.
    Integers,
    /// As f32 of different kinds and sizes, such as a learning rate beside a share: each is compared by itself.
    Scalars,
}

/// A range of a buffer, in words. Starts on a multiple of 64 words, WebGPU's binding alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The buffer.
    pub buffer: BufferId,
    /// The first word.
    pub offset: usize,
    /// How many words.
    pub words: usize,
}

impl Slice {
    /// The ranges that make it up, none of which is larger than a binding.
    pub(super) fn bindings(self) -> impl Iterator<Item = Self> {
        let starts = (0..self.words).step_by(BINDING);
        starts.map(move |start| Self { words: BINDING.min(self.words - start), ..self.behind(start) })
    }

    /// Whether it and another of the same buffer do not overlap.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.offset + self.words <= other.offset || other.offset + other.words <= self.offset
    }

    /// What of it lies behind its first `words`.
    pub(super) fn behind(self, words: usize) -> Self {
        let words = words.min(self.words);
        Self { offset: self.offset + words, words: self.words - words, ..self }
    }
}

/// Which part of a step a dispatch belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Data and the forward pass.
    Forward,
    /// Loss terms, with their gradients.
    Loss,
    /// The backward pass.
    Backward,
    /// Optimizer and bookkeeping.
    Update,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Forward => "forward",
            Self::Loss => "loss",
            Self::Backward => "backward",
            Self::Update => "update",
        })
    }
}

/// One kernel on its operands.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// What it is for: `encoder.0`, `d encoder.0.weight`.
    pub label: String,
    /// Which part of the step it belongs to.
    pub phase: Phase,
    /// The kernel.
    pub kernel: Arc<dyn Kernel>,
    /// Where its operands are, in the kernel's order.
    pub operands: Vec<Slice>,
    /// The periods, in steps, of the updates that it belongs to: it runs in each step whose number, counted from 1, is a
    /// multiple of one.
    pub every: Vec<u32>,
    /// What ranks exchange before it, where several train one model.
    pub exchanges: Vec<Exchange>,
}

impl Dispatch {
    /// Whether it runs in the step after `done` others.
    pub fn runs(&self, done: u32) -> bool {
        self.every.iter().any(|every| (u64::from(done) + 1).is_multiple_of(u64::from(*every)))
    }
}

/// A step, compiled: replay it any number of times.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The buffers.
    pub buffers: Vec<BufferSpec>,
    /// The dispatches, in order.
    pub dispatches: Vec<Dispatch>,
    /// The flat buffers of what survives a step.
    pub stores: Vec<Store>,
    /// Ranges the host reads and writes, by name.
    pub named: BTreeMap<String, Slice>,
    /// Images in a batch, of which there may be more elsewhere.
    pub batch: u32,
    /// Which they are of the whole batch.
    pub share: Share,
    /// The loss terms, in the order of the ring's rows.
    pub terms: Vec<TermSpec>,
    /// The images that it reads, and whether in an order that is shuffled anew in each pass.
    pub images: Option<(Images, bool)>,
}

impl Plan {
    /// The range called `name`.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the names there are.
    pub fn slice(&self, name: &str) -> Result<Slice> {
        self.named.get(name).copied().ok_or_else(|| {
            let names: Vec<&str> = self.named.keys().map(String::as_str).collect();
            Error::setting("buffer", format!("one of {}", names.join(", ")), name)
        })
    }

    /// The buffer that `slice` is a range of.
    pub fn buffer(&self, slice: Slice) -> &BufferSpec {
        &self.buffers[slice.buffer.0]
    }

    /// The slots of the store called `name`: `parameters` are those of the plain group.
    ///
    /// # Errors
    /// [`Error::Setting`] that lists the names there are.
    pub fn layout(&self, name: &str) -> Result<&ParameterLayout> {
        let store = self.stores.iter().find(|store| store.name == name);
        store.map(|store| &store.layout).ok_or_else(|| {
            let names: Vec<&str> = self.stores.iter().map(|store| store.name.as_str()).collect();
            Error::setting("store", format!("one of {}", names.join(", ")), name)
        })
    }

    /// Elements of all parameters.
    pub fn parameter_count(&self) -> usize {
        let parameters = self.stores.iter().filter(|store| store.kind == StoreKind::Parameters);
        parameters.map(|store| store.layout.count()).sum()
    }

    /// Floating-point operations of a step in which everything runs.
    pub fn flops(&self) -> u64 {
        self.dispatches.iter().map(|dispatch| dispatch.kernel.flops()).sum()
    }

    /// Bytes of device memory.
    pub fn memory(&self) -> u64 {
        self.buffers.iter().map(|buffer| 4 * buffer.words as u64).sum()
    }

    // Of a column of labels that all of them fit.
    pub(super) fn label_width(&self) -> usize {
        let widths = self.dispatches.iter().map(|dispatch| dispatch.label.chars().count());
        widths.max().unwrap_or_default().max(30)
    }

    /// The plan as a table: each dispatch with its shapes, cost and entry point, and its period where it does not run in
    /// each step.
    pub fn table(&self, variants: &Variants) -> String {
        let what = self.label_width();
        let mut text = format!(
            "{:>3}  {:8}  {:what$} {:32} {:>10} {:>10}  {}\n",
            "#", "phase", "what", "shape", "kFLOP", "kB", "shader"
        );
        for (number, dispatch) in self.dispatches.iter().enumerate() {
            let call = dispatch.kernel.call(variants);
            text += &format!(
                "{number:>3}  {:8}  {:what$} {:32} {:>10.1} {:>10.1}  {}{}\n",
                dispatch.phase,
                dispatch.label,
                call.shape,
                call.flops as f64 * 1e-3,
                dispatch.kernel.bytes() as f64 * 1e-3,
                kernels::program(dispatch.kernel.as_ref(), variants),
                period(&dispatch.every),
            );
        }
        text + &format!(
            "{} dispatches, {:.1} MFLOP, {:.1} MB in {} buffers, {} parameters\n",
            self.dispatches.len(),
            self.flops() as f64 * 1e-6,
            self.memory() as f64 * 1e-6,
            self.buffers.len(),
            self.parameter_count(),
        )
    }
}

// Nothing where it runs in each step.
fn period(every: &[u32]) -> String {
    if every.contains(&1) {
        return String::new();
    }
    let steps: Vec<String> = every.iter().map(u32::to_string).collect();
    format!("  every {} steps", steps.join(" or "))
}
