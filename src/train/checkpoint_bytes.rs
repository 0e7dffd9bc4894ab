//! Checkpoints as bytes: one safetensors file's content.
//!
//! Every slot is a tensor under its name, in PyTorch's shapes, so that other programs can read them; everything else is
//! JSON in the metadata.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::constant::ConstantModel;
use super::epoch_state::EpochState;
use super::trainer::DataMark;
use super::{Checkpoint, Config, Transform, earlier};
use crate::data::{Column, ScaleKind, Scaling};
use crate::graph::{Plan, Slots, State};
use crate::model::{Model, Registry};
use crate::{Error, Result};

const FORMAT: &str = "narrows checkpoint 2";
const CENTER: &str = "center";
const STATE: &str = "state";
// The best constant answer.
const CONSTANT: &str = "constant";
// Of the scaling, where there is one.
const SHIFT: &str = "scale.shift";
const FACTOR: &str = "scale.factor";
const RANGE: &str = "scale.range";

// What does not fit tensors.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    config: Value,
    shape: [usize; 3],
    matmul: Option<String>,
    data: DataMark,
    #[serde(default)]
    scale: ScaleKind,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<String>,
    #[serde(flatten)]
    progress: EpochState,
}

fn refuse(expected: impl ToString, found: impl ToString) -> Error {
    Error::Bytes { what: "checkpoint", expected: expected.to_string(), found: found.to_string() }
}

fn damaged(error: &safetensors::SafeTensorError) -> Error {
    refuse("a whole safetensors file", format!("a damaged or foreign one ({error})"))
}

fn bytes_of(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

impl Checkpoint {
    /// The content of a safetensors file: all slots by their names, the mean image as `center`, the best constant answer as
    /// `constant`, the run's position as `state`, and the rest in the metadata under `narrows`.
    ///
    /// # Errors
    /// [`Error::Bytes`] for what safetensors or JSON cannot hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let impossible = |error: &dyn std::fmt::Display| refuse("one that can be written", error);
        let header = serde_json::to_string(&self.header()?).map_err(|error| impossible(&error))?;
        let floats = |values: &[f32]| bytes_of(bytemuck::cast_slice(values));
        let slots = self.slots.iter();
        let mut tensors: Vec<(&str, Vec<usize>, Dtype, Vec<u8>)> =
            slots.map(|(name, slot)| (name, slot.shape.clone(), Dtype::F32, floats(&slot.values))).collect();
        let Transform { scaling, center, .. } = &self.transform;
        let mut add =
            |name, values: &[f32]| tensors.push((name, vec![values.len()], Dtype::F32, floats(values)));
        center.iter().for_each(|mean| add(CENTER, mean));
        self.constant.iter().for_each(|constant| add(CONSTANT, &constant.numbers()));
        if *scaling != Scaling::default() {
            add(SHIFT, &scaling.shift);
            add(FACTOR, &scaling.factor);
            add(RANGE, &scaling.range);
        }
        tensors.push((STATE, vec![State::WORDS], Dtype::U32, bytes_of(self.state.words())));
        let views = tensors.iter().map(|(name, shape, dtype, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| impossible(&error))?;
            Ok((*name, view))
        });
        let metadata = HashMap::from([("narrows".to_owned(), header)]);
        let serialized = safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(metadata));
        serialized.map_err(|error| impossible(&error))
    }

    fn header(&self) -> Result<Header> {
        Ok(Header {
            format: FORMAT.to_owned(),
            config: serde_json::to_value(&self.config).map_err(|error| refuse("a config", error))?,
            shape: self.shape,
            matmul: self.matmul.clone(),
            data: self.data,
            scale: self.transform.scaling.kind,
            columns: self.columns.clone(),
            metrics: self.metrics.clone(),
            progress: self.progress.clone(),
        })
    }

    /// Reads a checkpoint of a built-in variant, of this version or an earlier one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::from_bytes_of(&Registry::built_in(), bytes)
    }

    /// Reads a checkpoint of a variant of the registry, of this version or an earlier one.
    ///
    /// # Errors
    /// [`Error::Bytes`] naming what is missing or damaged.
    pub fn from_bytes_of(registry: &Registry, bytes: &[u8]) -> Result<Self> {
        let reader = Reader { tensors: SafeTensors::deserialize(bytes).map_err(|error| damaged(&error))? };
        let header = header(bytes)?;
        let first_format = earlier::header(&header);
        let is_first = first_format.is_some();
        let header = serde_json::from_value(first_format.unwrap_or(header));
        let header: Header = header.map_err(|error| refuse(format!("the fields of a {FORMAT}"), error))?;
        let config = config_of(registry, header.config)?;
        let model = header.shape.try_into().and_then(|shape| Model::new(&config.model, shape));
        let model = model.map_err(|error| refuse("a model that can be", error))?;
        let mut slots = reader.slots()?;
        let state = reader.sized(STATE, if is_first { earlier::STATE_WORDS } else { State::WORDS })?;
        if is_first {
            earlier::add_rates(&mut slots, &state, &model);
        }
        earlier::add_factors(&mut slots);
        let (images, state) = (header.data.images, State::from_words(&state[..State::WORDS]));
        // Beyond the last image there is no next batch to find.
        if state.cursor >= images {
            return Err(refuse(format!("a cursor below the {images} images"), state.cursor));
        }
        let update = config.train.update(images);
        let plan = update.and_then(|by| model.training(config.train.batch, images, true, &by, false));
        let plan = plan.map_err(|error| refuse("a model that can be trained", error))?;
        check_slots(&plan, &slots)?;
        let kept: Vec<&str> = header.progress.running.iter().map(|running| running.term.as_str()).collect();
        let terms: Vec<&str> = model.terms().iter().map(|term| term.name.as_str()).collect();
        if kept != terms {
            return Err(refuse(format!("sums of the terms {}", terms.join(", ")), kept.join(", ")));
        }
        let pixels = header.shape.iter().product::<usize>();
        let center = config.model.center.then(|| reader.floats(CENTER, &[pixels])).transpose()?;
        let scaling = reader.scaling(header.scale, pixels)?;
        let constant = match reader.tensors.tensor(CONSTANT) {
            Ok(_) => ConstantModel::of_numbers(&config.model, reader.floats(CONSTANT, &[pixels + 1])?),
            Err(_) => None,
        };
        Ok(Self {
            shape: header.shape,
            matmul: header.matmul,
            slots,
            transform: Transform { scaling, center, precision: config.data.precision },
            columns: header.columns,
            constant,
            metrics: header.metrics,
            state,
            progress: header.progress,
            data: header.data,
            config,
        })
    }
}

// What the training plan keeps must be in the file, in the plan's shapes.
fn check_slots(plan: &Plan, slots: &Slots) -> Result<()> {
    for (name, slot) in plan.stores.iter().flat_map(|store| store.slots()) {
        let found = slots.get(&name).map(|(shape, _)| shape);
        if found.as_ref() != Some(&slot.shape) {
            let found = found.map_or("nothing of that name".to_owned(), |shape| format!("{shape:?}"));
            return Err(refuse(format!("a tensor {name:?} of shape {:?}", slot.shape), found));
        }
    }
    Ok(())
}

fn config_of(registry: &Registry, mut value: Value) -> Result<Config> {
    strip_nulls(&mut value);
    let table: toml::Table =
        serde_json::from_value(value).map_err(|error| refuse("a configuration", error))?;
    let preset = table.get("model").and_then(|model| model.get("variant")).and_then(toml::Value::as_str);
    let preset = preset.unwrap_or("mlp").to_owned();
    let config = Config::from_table(registry, table, &preset, "its configuration");
    config.map_err(|error| refuse("a model that can be", error))
}

// TOML has none.
fn strip_nulls(value: &mut Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
        fields.values_mut().for_each(strip_nulls);
    }
}

fn header(bytes: &[u8]) -> Result<Value> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error))?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get("narrows"));
    let text = text.ok_or_else(|| refuse("a checkpoint of narrows", "safetensors of another program"))?;
    let header: Value =
        serde_json::from_str(text).map_err(|error| refuse(format!("the fields of a {FORMAT}"), error))?;
    // The format first: a later one may have other fields.
    match header.get("format").and_then(Value::as_str) {
        Some(format) if ![FORMAT, earlier::FORMAT].contains(&format) => {
            Err(refuse(format!("{FORMAT:?}"), format!("{format:?}")))
        }
        _ => Ok(header),
    }
}

struct Reader<'a> {
    tensors: SafeTensors<'a>,
}

impl Reader<'_> {
    // A tensor of so many words of 32 bits.
    fn sized(&self, name: &str, length: usize) -> Result<Vec<u32>> {
        let tensor = self.tensors.tensor(name).ok();
        let tensor = tensor.filter(|tensor| matches!(tensor.dtype(), Dtype::F32 | Dtype::U32));
        let words = tensor.map(|tensor| bytemuck::pod_collect_to_vec(tensor.data()));
        let found = words.filter(|words: &Vec<u32>| words.len() == length);
        found.ok_or_else(|| refuse(format!("a tensor {name:?} of {length} words"), "none"))
    }

    // A tensor of finite numbers, of one of these lengths.
    fn floats(&self, name: &str, lengths: &[usize]) -> Result<Vec<f32>> {
        let has =
            |length: usize| self.tensors.tensor(name).is_ok_and(|tensor| tensor.data().len() == 4 * length);
        let length = lengths.iter().copied().find(|length| has(*length)).unwrap_or(lengths[0]);
        let values: Vec<f32> = bytemuck::cast_vec(self.sized(name, length)?);
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(refuse(format!("finite numbers in the tensor {name:?}"), value)),
            None => Ok(values),
        }
    }

    fn scaling(&self, kind: ScaleKind, pixels: usize) -> Result<Scaling> {
        if self.tensors.tensor(SHIFT).is_err() {
            return Ok(Scaling::default());
        }
        let shift = self.floats(SHIFT, &[1, pixels])?;
        let factor = self.floats(FACTOR, &[shift.len()])?;
        let range = self.floats(RANGE, &[2])?;
        if factor.contains(&0.0) {
            return Err(refuse(format!("a tensor {FACTOR:?} without zeros"), 0));
        }
        Ok(Scaling { kind, shift, factor, range: [range[0], range[1]] })
    }

    fn slots(&self) -> Result<Slots> {
        let mut slots = Slots::default();
        for (name, tensor) in self
            .tensors
            .iter()
            .filter(|(name, _)| ![CENTER, STATE, CONSTANT, SHIFT, FACTOR, RANGE].contains(name))
        {
            if tensor.dtype() != Dtype::F32 {
                return Err(refuse(format!("a tensor {name:?} of F32"), format!("{:?}", tensor.dtype())));
            }
            let values: Vec<f32> = bytemuck::pod_collect_to_vec(tensor.data());
            // None is saved, so it was damaged afterwards.
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(refuse(format!("finite numbers in the tensor {name:?}"), value));
            }
            slots.insert(name.to_owned(), tensor.shape().to_vec(), values);
        }
        Ok(slots)
    }
}
