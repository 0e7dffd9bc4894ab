//! Parameters in one flat buffer, and running statistics in another: named, 256-byte-aligned slots, and their first
//! values.

use rand::RngExt;

use super::plan::BufferId;
use super::{Graph, Slice};
use crate::rng::{PhiloxRng, Stream};
use crate::{Error, Result};

/// WebGPU's default alignment of a binding's offset, in words.
pub(super) const ALIGNMENT: usize = 64;

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every element the same.
    Constant(f32),
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

/// One named parameter.
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

    // Padded to whole vec4s; what lies between stays zero.
    pub(super) fn slice(&self, buffer: BufferId) -> Slice {
        Slice { buffer, offset: self.offset, words: self.len().next_multiple_of(4) }
    }
}

/// Where each parameter lives in the flat buffer; gradients and moments have the same layout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterLayout {
    parameters: Vec<Parameter>,
    words: usize,
}

impl ParameterLayout {
    pub(super) fn add(&mut self, name: String, shape: Vec<usize>, init: Init) -> Parameter {
        let parameter = Parameter { name, shape, offset: self.words, init };
        self.words = (self.words + parameter.len()).next_multiple_of(ALIGNMENT);
        self.parameters.push(parameter.clone());
        parameter
    }

    /// The parameters, in order.
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

    /// Number of parameters' elements, padding excluded.
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

    /// The parameters' first values for `seed`: the same everywhere.
    pub fn initial(&self, seed: u64) -> Vec<f32> {
        let mut flat = vec![0.0; self.words];
        for (number, parameter) in (0_u32..).zip(&self.parameters) {
            let values = &mut flat[parameter.offset..parameter.offset + parameter.len()];
            let bound = match parameter.init {
                Init::Constant(value) => {
                    values.fill(value);
                    continue;
                }
                Init::GlorotUniform { fan_in, fan_out } => (6.0 / (fan_in + fan_out) as f64).sqrt(),
                Init::HeUniform { fan_in } => (6.0 / fan_in as f64).sqrt(),
            } as f32;
            let mut rng = PhiloxRng::new(seed, number, Stream::Initial);
            values.fill_with(|| rng.random_range(-bound..bound));
        }
        flat
    }
}

impl Graph {
    /// A named parameter.
    pub fn parameter(&mut self, name: impl Into<String>, shape: Vec<usize>, init: Init) -> Parameter {
        self.layout.add(name.into(), shape, init)
    }

    /// Named numbers that start as `first` and that layers keep up to date in training, without a gradient: no optimizer
    /// sees them. They live in the flat buffer `statistics`, which a model without any does not have.
    pub fn statistic(&mut self, name: impl Into<String>, shape: Vec<usize>, first: f32) -> Parameter {
        let statistic = self.statistics.add(name.into(), shape, Init::Constant(first));
        let buffer = match self.statistics_buffer {
            Some(buffer) => buffer,
            None => self.buffer("statistics", 0, true).buffer,
        };
        self.statistics_buffer = Some(buffer);
        self.buffers[buffer.0].words = self.statistics.words();
        self.name("statistics", Slice { buffer, offset: 0, words: self.statistics.words() });
        statistic
    }

    pub(super) fn statistics_buffer(&self) -> Result<BufferId> {
        self.statistics_buffer.ok_or_else(|| Error::shape("statistics", "at least one in this graph", "none"))
    }

    /// Fails for a parameter that another graph declared.
    pub(super) fn know_parameter(&self, operation: &str, parameter: &Parameter) -> Result<()> {
        if self.layout.iter().any(|known| known == parameter) {
            return Ok(());
        }
        Err(Error::shape(operation, "a parameter of this graph", format!("{} of another", parameter.name)))
    }

    /// Fails for a statistic that another graph declared, and for a parameter.
    pub(super) fn know_statistic(&self, operation: &str, statistic: &Parameter) -> Result<()> {
        if self.statistics.iter().any(|known| known == statistic) {
            return Ok(());
        }
        let got = format!("{}, which is none of them", statistic.name);
        Err(Error::shape(operation, "a statistic of this graph", got))
    }
}
