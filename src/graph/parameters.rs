//! Parameters and other numbers that survive a step: named, 256-byte-aligned slots of flat buffers, and their first
//! values.

use rand::RngExt;

use super::Slice;
use super::plan::BufferId;
use crate::rng::{PhiloxRng, Stream};
use crate::{Error, Result};

/// WebGPU's default alignment of a binding's offset, in words.
pub(super) const ALIGNMENT: usize = 64;

/// The group of the parameters that are declared without one.
pub const MODEL: &str = "model";

/// How a parameter starts.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    /// All elements the same.
    Constant(f32),
    /// These values, one per element.
    Values(Vec<f32>),
    /// With the first values of another parameter or slot of as many elements.
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

impl Init {
    // The largest magnitude of random numbers; None where they are not random.
    pub(super) fn bound(&self) -> Option<f32> {
        match self {
            Self::Constant(_) | Self::Values(_) | Self::Like(_) => None,
            Self::Uniform { bound } => Some(*bound),
            Self::GlorotUniform { fan_in, fan_out } => {
                Some((6.0 / (*fan_in as f64 + *fan_out as f64)).sqrt() as f32)
            }
            Self::HeUniform { fan_in } => Some((6.0 / *fan_in as f64).sqrt() as f32),
        }
    }
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
    // The number of its random stream: how many were declared before it.
    pub(super) number: u32,
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

    // How it starts, and the number of its random stream: where it starts like another, those of the other.
    fn start(&self) -> (&Init, u32) {
        match &self.init {
            Init::Like(other) => other.start(),
            init => (init, self.number),
        }
    }

    // Padded to whole vec4s; the padding stays zero.
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

    /// Whether `slot` is one of its own.
    pub(super) fn holds(&self, slot: &Parameter) -> bool {
        // They lie in the order of their places; one without elements takes none.
        let first = self.parameters.partition_point(|known| known.offset < slot.offset);
        let there = self.parameters[first..].iter().take_while(|known| known.offset == slot.offset);
        there.into_iter().any(|known| known == slot)
    }

    /// Adds a slot, whose place is behind those there are.
    pub(super) fn push(&mut self, slot: Parameter) -> Parameter {
        let slot = Parameter { offset: self.words, ..slot };
        self.words = (slot.offset + slot.len()).next_multiple_of(ALIGNMENT);
        self.parameters.push(slot.clone());
        slot
    }

    /// Whether `other` begins with these slots, each in the same place.
    pub(super) fn begins(&self, other: &Self) -> bool {
        let same = |(own, other): (&Parameter, &Parameter)| {
            own.name == other.name && own.shape == other.shape && own.offset == other.offset
        };
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
            match init {
                Init::Constant(value) => values.fill(*value),
                Init::Values(first) => values.copy_from_slice(first),
                _ => {
                    let Some(bound) = init.bound() else { continue };
                    let mut rng = PhiloxRng::new(seed, number, Stream::Initial);
                    values.fill_with(|| rng.random_range(-bound..bound));
                }
            }
        }
        flat
    }
}
