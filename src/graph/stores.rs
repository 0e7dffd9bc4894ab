//! Flat buffers that survive a step, and how a graph declares what is in them.

use super::parameters::MODEL;
use super::plan::{BufferId, Content};
use super::tensor::within_32_bits;
use super::{Graph, Init, Parameter, ParameterLayout, Slice};
use crate::{Error, Result};

/// What a flat buffer that survives a step holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// The parameters of a group.
    Parameters,
    /// Numbers that operations keep up to date without a gradient: running statistics, a codebook.
    Statistics,
    /// An optimizer's memory of a group's gradients.
    Moments,
    /// Numbers that depend on the step: learning rates, Adam's corrections, the shares of warm-ups.
    Rates,
}

/// A flat buffer of named slots that survives a step. A checkpoint is all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// The name of its range in the plan: `parameters`, `statistics`, `moment1`, ...
    pub name: String,
    /// What it holds.
    pub kind: StoreKind,
    /// Prefix of its slots' names in a checkpoint: `moment1.`, or nothing.
    pub prefix: String,
    /// Where each slot is.
    pub layout: ParameterLayout,
}

impl Store {
    /// The group whose parameters it holds.
    pub(super) fn group(&self) -> &str {
        self.name.strip_prefix("parameters.").unwrap_or(MODEL)
    }

    /// Its slots, each with its name in a checkpoint.
    pub fn slots(&self) -> impl Iterator<Item = (String, &Parameter)> {
        self.layout.iter().map(|slot| (format!("{}{}", self.prefix, slot.name), slot))
    }
}

/// `name`, followed by the group and the update that tell it from others of its kind: a plain model's are left out.
pub(super) fn qualified(name: &str, parts: &[&str]) -> String {
    let others = parts.iter().filter(|part| **part != MODEL);
    others.fold(name.to_owned(), |name, part| format!("{name}.{part}"))
}

impl Graph {
    // The store called `name`, made where it is missing.
    pub(super) fn store(&mut self, name: &str, kind: StoreKind, prefix: &str) -> usize {
        if let Some(at) = self.stores.iter().position(|store| store.name == name) {
            return at;
        }
        let buffer = self.named_buffer(name, 0).buffer;
        if kind == StoreKind::Rates {
            self.buffers[buffer.0].content = Content::Scalars;
        }
        let (name, prefix) = (name.to_owned(), prefix.to_owned());
        self.stores.push(Store { name, kind, prefix, layout: ParameterLayout::default() });
        self.store_buffers.push(buffer);
        self.stores.len() - 1
    }

    /// A store's slots in a flat buffer of its layout: its own, or one of gradients.
    pub(super) fn flat(&self, store: usize, buffer: BufferId) -> Slice {
        Slice { buffer, offset: 0, words: self.stores[store].layout.words() }
    }

    /// Fails for a name that another slot has in a checkpoint.
    pub(super) fn check_new_slot(&self, name: &str) -> Result<()> {
        if self.slot_names.contains(name) {
            return Err(Error::shape(format!("parameter {name}"), "a name of its own", "one that is there"));
        }
        Ok(())
    }

    fn slot_in(&mut self, store: usize, name: String, shape: Vec<usize>, init: Init) -> Result<Parameter> {
        self.check_new_slot(&name)?;
        let len = shape.iter().fold(1, |len: usize, extent| len.saturating_mul(*extent));
        let words = self.stores[store].layout.words().saturating_add(len);
        within_32_bits(&format!("parameter {name} {shape:?}"), words as u64)?;
        if let Some(bound) = init.bound()
            && !(bound > 0.0 && (2.0 * bound).is_finite())
        {
            return Err(Error::setting(format!("first values of {name}"), "a positive bound", bound));
        }
        let finite = match &init {
            Init::Constant(first) => first.is_finite(),
            Init::Values(first) => first.iter().all(|first| first.is_finite()),
            _ => true,
        };
        if !finite {
            return Err(Error::setting(
                format!("first values of {name}"),
                "finite numbers",
                "one that is not",
            ));
        }
        let first = match &init {
            Init::Values(first) => first.len(),
            Init::Like(other) => other.len(),
            _ => len,
        };
        if first != len {
            return Err(Error::shape(format!("first values of {name}"), format!("{len} numbers"), first));
        }
        self.slot_names.insert(name.clone());
        let slot = Parameter { name, shape, offset: 0, init, store, number: self.declared };
        Ok(self.stores[store].layout.push(slot))
    }

    /// A named parameter of the group [`MODEL`].
    pub fn parameter(&mut self, name: impl Into<String>, shape: Vec<usize>, init: Init) -> Result<Parameter> {
        self.parameter_of(MODEL, name, shape, init)
    }

    /// A named parameter of a group: an update moves whole groups.
    ///
    /// # Errors
    /// [`Error::Shape`] for a name that is taken, as of statistics and slots too, for first values of another number, and
    /// for a group that an update moves already; [`Error::Setting`] for random first values without a positive bound.
    pub fn parameter_of(
        &mut self,
        group: &str,
        name: impl Into<String>,
        shape: Vec<usize>,
        init: Init,
    ) -> Result<Parameter> {
        let name = name.into();
        if self.moved.contains(group) {
            let expected = format!("a group that no update moves yet, as {group} would be before them");
            return Err(Error::shape(format!("parameter {name}"), expected, "one that is moved"));
        }
        let store = self.store(&qualified("parameters", &[group]), StoreKind::Parameters, "");
        let parameter = self.slot_in(store, name, shape, init)?;
        self.declared += 1;
        Ok(parameter)
    }

    /// Named numbers that layers keep up to date in training, without a gradient or an optimizer. They live in the flat
    /// buffer `statistics`, which only a model with statistics has.
    pub fn statistic(&mut self, name: impl Into<String>, shape: Vec<usize>, first: f32) -> Result<Parameter> {
        let store = self.store("statistics", StoreKind::Statistics, "");
        self.slot_in(store, name.into(), shape, Init::Constant(first))
    }

    /// Named numbers that survive a step in a buffer of their own: one dispatch can read one slot and write another, as
    /// of a codebook and its moving averages.
    pub fn slot(&mut self, name: impl Into<String>, shape: Vec<usize>, init: Init) -> Result<Parameter> {
        let name = name.into();
        let store = self.store(&format!("slot {name}"), StoreKind::Statistics, "");
        let slot = self.slot_in(store, name, shape, init)?;
        self.declared += 1;
        Ok(slot)
    }

    // A slot whose numbers depend on the step.
    pub(super) fn rate(&mut self, name: String, first: Vec<f32>) -> Result<Parameter> {
        let store = self.store("rates", StoreKind::Rates, "");
        self.slot_in(store, name, vec![first.len()], Init::Values(first))
    }

    /// Where a slot's numbers are.
    pub(super) fn place(&self, parameter: &Parameter) -> Slice {
        parameter.slice(self.store_buffers[parameter.store])
    }

    /// Fails for a slot of another graph, or of a store of none of these kinds.
    pub(super) fn know_slot(
        &self,
        operation: &str,
        slot: &Parameter,
        kinds: &[StoreKind],
        what: &str,
    ) -> Result<()> {
        let store = self.stores.get(slot.store).filter(|store| kinds.contains(&store.kind));
        if store.is_some_and(|store| store.layout.holds(slot)) {
            return Ok(());
        }
        let got = format!("{}, which is not one", slot.name);
        Err(Error::shape(operation, format!("a {what} of this graph"), got))
    }

    /// Fails for a parameter that another graph declared.
    pub(super) fn know_parameter(&self, operation: &str, parameter: &Parameter) -> Result<()> {
        self.know_slot(operation, parameter, &[StoreKind::Parameters], "parameter")
    }
}
