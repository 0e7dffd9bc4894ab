//! State dicts: what a model learned under PyTorch's names and in its layouts, as the content of a safetensors file.
//!
//! A dense layer's weight is `[out, in]` here as there. A convolution's `[out, height, width, in]` is
//! `[out, in, height, width]` there, and a transposed one's `[in, height, width, out]` is `[in, out, height, width]`. What
//! batch normalisation calls `scale`, `shift` and `running_variance` is `weight`, `bias` and `running_var` there.

use std::collections::{BTreeMap, HashMap};

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Checkpoint;
use super::begun::learned;
use crate::graph::Slots;
use crate::{Error, Result};

/// Tensors under PyTorch's names, in PyTorch's layouts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    /// Those of 32-bit floats, or that were converted to them.
    pub tensors: Slots,
    /// The types of those that are no floats, by name, as of `num_batches_tracked`.
    pub others: BTreeMap<String, String>,
}

/// The name of the mean image in a state dict.
pub const CENTER: &str = "center";
/// The name of what the scaling subtracts.
pub const SHIFT: &str = "shift";
/// The name of what the scaling multiplies by.
pub const FACTOR: &str = "factor";

// What a program that reads the file may ask for.
const FORMAT: (&str, &str) = ("format", "pt");

fn refuse(expected: impl ToString, found: impl ToString) -> Error {
    Error::Bytes { what: "state dict", expected: expected.to_string(), found: found.to_string() }
}

/// A slot's name in PyTorch, where `is_slot` knows the names of all others.
pub(super) fn name_there(slot: &str, is_slot: impl Fn(&str) -> bool) -> String {
    let of_norm = |layer: &str| is_slot(&format!("{layer}.running_variance"));
    match slot.rsplit_once('.').filter(|(layer, _)| of_norm(layer)) {
        Some((layer, "scale")) => format!("{layer}.weight"),
        Some((layer, "shift")) => format!("{layer}.bias"),
        Some((layer, "running_variance")) => format!("{layer}.running_var"),
        _ => slot.to_owned(),
    }
}

/// A slot's shape in PyTorch: channels before height and width.
pub(super) fn shape_there(shape: &[usize]) -> Vec<usize> {
    match *shape {
        [first, height, width, last] => vec![first, last, height, width],
        _ => shape.to_vec(),
    }
}

// `[count, rows, columns]` as `[count, columns, rows]`.
fn swapped(values: &[f32], [rows, columns]: [usize; 2]) -> Vec<f32> {
    let blocks = values.chunks_exact((rows * columns).max(1));
    let block = |block: &[f32]| -> Vec<f32> {
        (0..columns).flat_map(|column| block.iter().skip(column).step_by(columns).copied()).collect()
    };
    blocks.flat_map(block).collect()
}

/// A slot's numbers in PyTorch's layout.
fn there(shape: &[usize], values: &[f32]) -> Vec<f32> {
    match *shape {
        [_, height, width, last] => swapped(values, [height * width, last]),
        _ => values.to_vec(),
    }
}

/// Numbers of PyTorch's layout as those of a slot of this shape.
pub(super) fn here(shape: &[usize], values: &[f32]) -> Vec<f32> {
    match *shape {
        [_, height, width, last] => swapped(values, [last, height * width]),
        _ => values.to_vec(),
    }
}

impl Checkpoint {
    /// All that the model learned, with the running statistics; and as `shift` and `factor` what the data are scaled by, as
    /// `center` the mean image, where there are any.
    ///
    /// # Errors
    /// As [`Checkpoint::model`].
    pub fn state_dict(&self) -> Result<StateDict> {
        let learned = learned(&self.training_plan()?);
        let mut tensors = Slots::default();
        for (slot, shape) in &learned {
            let Some((_, values)) = self.slots.get(slot) else { continue };
            let name = name_there(slot, |name| learned.contains_key(name));
            tensors.insert(name, shape_there(shape), there(shape, values));
        }
        let mut add = |name: &str, values: &[f32]| {
            tensors.insert(name.to_owned(), vec![values.len()], values.to_vec());
        };
        self.transform.center.iter().for_each(|center| add(CENTER, center));
        if !self.transform.scaling.is_identity() {
            add(SHIFT, &self.transform.scaling.shift);
            add(FACTOR, &self.transform.scaling.factor);
        }
        Ok(StateDict { tensors, others: BTreeMap::new() })
    }
}

impl StateDict {
    /// Whether bytes are a safetensors file that is no checkpoint of narrows.
    pub fn is_one(bytes: &[u8]) -> bool {
        let of_narrows = |metadata: &Option<HashMap<String, String>>| {
            metadata.as_ref().is_some_and(|metadata| metadata.contains_key("narrows"))
        };
        SafeTensors::read_metadata(bytes).is_ok_and(|(_, header)| !of_narrows(header.metadata()))
    }

    /// Reads the content of a safetensors file. Floats of 16 and 64 bits are converted.
    ///
    /// # Errors
    /// [`Error::Bytes`] for a file that is not whole, and a number that is not finite in 32 bits.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged =
            |error| refuse("a whole safetensors file", format!("a damaged or foreign one ({error})"));
        let file = SafeTensors::deserialize(bytes).map_err(damaged)?;
        let mut dict = Self::default();
        for (name, tensor) in file.iter() {
            let Some(values) = floats(&tensor) else {
                dict.others.insert(name.to_owned(), format!("{:?}", tensor.dtype()));
                continue;
            };
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(refuse(format!("finite numbers of 32 bits in the tensor {name:?}"), value));
            }
            dict.tensors.insert(name.to_owned(), tensor.shape().to_vec(), values);
        }
        Ok(dict)
    }

    /// The content of a safetensors file.
    ///
    /// # Errors
    /// [`Error::Bytes`] for what safetensors cannot hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let bytes: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, slot)| {
                (name, &slot.shape, slot.values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
            })
            .collect();
        let impossible = |error| refuse("one that can be written", error);
        let views = bytes.iter().map(|(name, shape, bytes)| {
            Ok((*name, TensorView::new(Dtype::F32, (*shape).clone(), bytes).map_err(impossible)?))
        });
        let metadata = HashMap::from([(FORMAT.0.to_owned(), FORMAT.1.to_owned())]);
        safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(metadata)).map_err(impossible)
    }
}

// As 32-bit floats; None for a type of other numbers.
fn floats(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    let data = tensor.data();
    let halves = |of: fn([u8; 2]) -> f32| data.as_chunks().0.iter().map(|bytes| of(*bytes)).collect();
    Some(match tensor.dtype() {
        Dtype::F16 => halves(|bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => halves(|bytes| bf16::from_le_bytes(bytes).to_f32()),
        Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Dtype::F64 => data.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
        _ => return None,
    })
}
