//! Parameters and other numbers that survive a step: named, 256-byte-aligned slots of flat buffers, and their first
//! values.

use rand::RngExt;

use super::plan::{BufferId, Content};
use super::{Graph, Slice};
use crate::rng::{PhiloxRng, Stream};
use crate::{Error, Result};

/// WebGPU's default alignment of a binding's offset, in words.
pub(super) const ALIGNMENT: usize = 64;

/// The group of the parameters that are declared without one.
pub const MODEL: &str = "model";

/// How a parameter starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// Every element the same.
    Constant(f32),
    /// These numbers, one for each element.
    Values(Vec<f32>),
    /// With the numbers that another parameter or slot of as many elements starts with.
    Like(Box<Parameter>),
    /// Uniform in ±bound.
    Uniform {
        /// The largest magnitude.
        bound: f32,
    },
    /// Uniform in ±sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, equation 16).
    GlorotUniform {
        /// Inputs of a unit.
        fan_in: usize,
        /// Outputs of a unit.
        fan_out: usize,
    },
    /// Uniform in ±sqrt(6 / fan_in) (He et al. 2015, section 2.2).
    HeUniform {
        /// Inputs of a unit.
        fan_in: usize,
    },
}

/// One named slot of a flat buffer: a parameter, or other numbers that survive a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// `encoder.0.weight`
    pub name: String,
    /// `[out_features, in_features]`, `[out_features]`, ...
    pub shape: Vec<usize>,
    /// First word in the flat buffer.
    pub offset: usize,
    /// How it starts.
    pub init: Init,
    // Which of the graph's stores holds it.
    pub(super) store: usize,
    // Which random numbers it starts with: how many were declared before it.
    number: u32,
}

impl Parameter {
    /// Its number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    // How it starts, and which random numbers it starts with: where it starts like another, those of that one.
    fn start(&self) -> (&Init, u32) {
        match &self.init {
            Init::Like(other) => other.start(),
            init => (init, self.number),
        }
    }

    // Padded to whole vec4s; what lies between stays zero.
    pub(super) fn slice(&self, buffer: BufferId) -> Slice {
        Slice { buffer, offset: self.offset, words: self.len().next_multiple_of(4) }
    }
}

/// Where each slot lives in a flat buffer; gradients and moments have the layout of their parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterLayout {
    parameters: Vec<Parameter>,
    words: usize,
}

impl ParameterLayout {
    /// The slots, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }

    /// Words of the flat buffer, padding included.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Number of all slots' elements, padding excluded.
    pub fn count(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// The elements of `parameter` in a flat buffer of this layout.
    pub fn view<'a>(&self, parameter: &Parameter, flat: &'a [f32]) -> &'a [f32] {
        flat.get(parameter.offset..parameter.offset + parameter.len()).unwrap_or_default()
    }

    /// A flat buffer with `values` in the named slots and zeros elsewhere.
    ///
    /// # Errors
    /// [`Error::Shape`] where a value is missing or has another shape.
    pub fn pack<'a>(
        &self,
        mut values: impl FnMut(&str) -> Option<(Vec<usize>, &'a [f32])>,
    ) -> Result<Vec<f32>> {
        let mut flat = vec![0.0; self.words];
        for parameter in &self.parameters {
            let operation = format!("parameter {}", parameter.name);
            let expected = format!("{:?}", parameter.shape);
            let Some((shape, value)) = values(&parameter.name) else {
                return Err(Error::shape(operation, expected, "nothing of that name"));
            };
            if shape != parameter.shape || value.len() != parameter.len() {
                return Err(Error::shape(operation, expected, format!("{shape:?}")));
            }
            flat[parameter.offset..parameter.offset + value.len()].copy_from_slice(value);
        }
        Ok(flat)
    }

    /// Whether `other` begins with these slots, each in the same place.
    pub(super) fn begins(&self, other: &Self) -> bool {
        let place = |slot: &Parameter| (slot.name.clone(), slot.shape.clone(), slot.offset);
        let same = |(own, other)| place(own) == place(other);
        self.parameters.len() <= other.parameters.len()
            && self.parameters.iter().zip(&other.parameters).all(same)
    }

    /// The same slots, all of which start at zero.
    pub(super) fn zeroed(&self) -> Self {
        let parameters = self.parameters.iter().map(|p| Parameter { init: Init::Constant(0.0), ..p.clone() });
        Self { parameters: parameters.collect(), words: self.words }
    }

    /// The slots' first values for `seed`: the same everywhere.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let mut flat = vec![0.0; self.words];
        for parameter in &self.parameters {
            let values = &mut flat[parameter.offset..parameter.offset + parameter.len()];
            let (init, number) = parameter.start();
            let bound = match init {
                Init::Constant(value) => {
                    values.fill(*value);
                    continue;
                }
                // What a parameter starts like in the end is none of these.
                Init::Like(_) => continue,
                Init::Values(first) => {
                    values.iter_mut().zip(first).for_each(|(value, first)| *value = *first);
                    continue;
                }
                Init::Uniform { bound } => *bound,
                Init::GlorotUniform { fan_in, fan_out } => (6.0 / (fan_in + fan_out) as f64).sqrt() as f32,
                Init::HeUniform { fan_in } => (6.0 / *fan_in as f64).sqrt() as f32,
            };
            let mut rng = PhiloxRng::new(seed, number, Stream::Initial);
            values.fill_with(|| rng.random_range(-bound..bound));
        }
        flat
    }
}

/// What a flat buffer that survives a step holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// The parameters of a group.
    Parameters,
    /// Numbers that operations keep up to date without a gradient: running statistics, a codebook.
    Statistics,
    /// An optimizer's memory of a group's gradients.
    Moments,
    /// What changes with the number of the step: learning rates, Adam's corrections, the shares of warm-ups.
    Rates,
}

/// A flat buffer of named slots that survives a step. A checkpoint is all of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// The name of its range in the plan: `parameters`, `statistics`, `moment1`, ...
    pub name: String,
    /// What it holds.
    pub kind: StoreKind,
    /// Stands before its slots' names in a checkpoint: `moment1.`, or nothing.
    pub prefix: String,
    /// Where each slot is.
    pub layout: ParameterLayout,
}

impl Store {
    /// The group whose parameters it holds.
    pub(super) fn group(&self) -> &str {
        self.name.strip_prefix("parameters.").unwrap_or(MODEL)
    }

    /// The names of its slots in a checkpoint, each with its shape and place.
    pub fn slots(&self) -> impl Iterator<Item = (String, &Parameter)> {
        self.layout.iter().map(|slot| (format!("{}{}", self.prefix, slot.name), slot))
    }
}

/// `name`, with what tells it from others of its kind behind it: nothing for the group and the update that a plain
/// model has alone.
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
        let buffer = self.buffer(name, 0, true).buffer;
        if kind == StoreKind::Rates {
            self.buffers[buffer.0].content = Content::Scalars;
        }
        let (name, prefix) = (name.to_owned(), prefix.to_owned());
        self.stores.push(Store { name, kind, prefix, layout: ParameterLayout::default() });
        self.store_buffers.push(buffer);
        self.stores.len() - 1
    }

    fn slot_in(&mut self, store: usize, name: String, shape: Vec<usize>, init: Init) -> Result<Parameter> {
        let same = |other: &Store| other.prefix.is_empty() && other.layout.iter().any(|p| p.name == name);
        if self.stores.iter().any(same) {
            return Err(Error::shape(format!("parameter {name}"), "a name of its own", "one that is there"));
        }
        let len = shape.iter().product::<usize>();
        let first = match &init {
            Init::Values(first) => first.len(),
            Init::Like(other) => other.len(),
            _ => len,
        };
        if first != len {
            let operation = format!("first values of {name}");
            return Err(Error::shape(operation, format!("{len} numbers"), first));
        }
        let layout = &mut self.stores[store].layout;
        let offset = layout.words;
        layout.words = (offset + len).next_multiple_of(ALIGNMENT);
        let parameter = Parameter { name, shape, offset, init, store, number: self.declared };
        layout.parameters.push(parameter.clone());
        let (words, buffer) = (layout.words, self.store_buffers[store]);
        self.buffers[buffer.0].words = words;
        let range = Slice { buffer, offset: 0, words };
        self.name(self.stores[store].name.clone(), range);
        Ok(parameter)
    }

    /// A named parameter of the group [`MODEL`].
    ///
    /// # Errors
    /// As [`Graph::parameter_of`].
    pub fn parameter(&mut self, name: impl Into<String>, shape: Vec<usize>, init: Init) -> Result<Parameter> {
        self.parameter_of(MODEL, name, shape, init)
    }

    /// A named parameter of a group: an update moves whole groups.
    ///
    /// # Errors
    /// [`Error::Shape`] for a name that is taken, for first values of another number, and for a group that an update
    /// moves already.
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

    /// Named numbers that layers keep up to date in training, without a gradient: no optimizer sees them. They live in
    /// the flat buffer `statistics`, which a model without any does not have.
    ///
    /// # Errors
    /// [`Error::Shape`] for a name that is taken.
    pub fn statistic(&mut self, name: impl Into<String>, shape: Vec<usize>, first: f32) -> Result<Parameter> {
        let store = self.store("statistics", StoreKind::Statistics, "");
        self.slot_in(store, name.into(), shape, Init::Constant(first))
    }

    /// Named numbers that survive a step in a buffer of their own, for an operation that reads one and writes another
    /// of them in the same dispatch, as a codebook and its moving averages.
    ///
    /// # Errors
    /// [`Error::Shape`] for a name that is taken, and for first values of another number.
    pub fn slot(&mut self, name: impl Into<String>, shape: Vec<usize>, init: Init) -> Result<Parameter> {
        let name = name.into();
        let store = self.store(&format!("slot {name}"), StoreKind::Statistics, "");
        let slot = self.slot_in(store, name, shape, init)?;
        self.declared += 1;
        Ok(slot)
    }

    // A slot that follows the number of the step.
    pub(super) fn rate(&mut self, name: String, first: Vec<f32>) -> Result<Parameter> {
        let store = self.store("rates", StoreKind::Rates, "");
        self.slot_in(store, name, vec![first.len()], Init::Values(first))
    }

    /// Where a slot's numbers are.
    pub(super) fn place(&self, parameter: &Parameter) -> Slice {
        parameter.slice(self.store_buffers[parameter.store])
    }

    fn know_slot(&self, operation: &str, slot: &Parameter, kinds: &[StoreKind], what: &str) -> Result<()> {
        let store = self.stores.get(slot.store).filter(|store| kinds.contains(&store.kind));
        if store.is_some_and(|store| store.layout.iter().any(|known| known == slot)) {
            return Ok(());
        }
        let got = format!("{}, which is none of them", slot.name);
        Err(Error::shape(operation, format!("a {what} of this graph"), got))
    }

    /// Fails for a parameter that another graph declared.
    pub(super) fn know_parameter(&self, operation: &str, parameter: &Parameter) -> Result<()> {
        self.know_slot(operation, parameter, &[StoreKind::Parameters], "parameter")
    }

    /// Fails for a parameter or a slot that another graph declared.
    pub(super) fn know_declared(&self, operation: &str, slot: &Parameter) -> Result<()> {
        let kinds = [StoreKind::Parameters, StoreKind::Statistics];
        self.know_slot(operation, slot, &kinds, "parameter or slot")
    }

    /// Fails for a statistic that another graph declared, and for a parameter.
    pub(super) fn know_statistic(&self, operation: &str, statistic: &Parameter) -> Result<()> {
        self.know_slot(operation, statistic, &[StoreKind::Statistics], "statistic")
    }
}
