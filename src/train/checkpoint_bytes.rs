//! Checkpoints as bytes: one safetensors file's content.
//!
//! Every slot is a tensor under its name, in PyTorch's shapes, so that other programs can read them; everything else is
//! JSON in the metadata. It has a CRC-32 of each tensor, with its name, type and shape, and ends with one of itself.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checkpoint_checks::{check_position, check_slots, check_sums};
use super::checksums::{check_closed, check_tensors, closed, crc32_of};
use super::constant::ConstantModel;
use super::data_mark::DataMark;
use super::epoch_state::EpochState;
use super::{Checkpoint, Config, Transform, earlier};
use crate::data::{Column, ScaleKind, Scaling};
use crate::graph::{Slots, State};
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
    #[serde(alias = "matmul")]
    kernels: Option<String>,
    data: DataMark,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validation: Option<DataMark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test: Option<DataMark>,
    #[serde(default)]
    scale: ScaleKind,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    bytes: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<String>,
    #[serde(default)]
    crc32: BTreeMap<String, u32>,
    #[serde(flatten)]
    progress: EpochState,
}

pub(super) fn refuse(expected: impl ToString, found: impl ToString) -> Error {
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
        let crc = |(name, shape, dtype, bytes): &(&str, Vec<usize>, Dtype, Vec<u8>)| {
            ((*name).to_owned(), crc32_of(name, *dtype, shape, bytes))
        };
        let header = self.header(tensors.iter().map(crc).collect())?;
        let header = closed(serde_json::to_string(&header).map_err(|error| impossible(&error))?);
        let views = tensors.iter().map(|(name, shape, dtype, bytes)| {
            let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(|error| impossible(&error))?;
            Ok((*name, view))
        });
        let metadata = HashMap::from([("narrows".to_owned(), header)]);
        let serialized = safetensors::serialize(views.collect::<Result<Vec<_>>>()?, Some(metadata));
        serialized.map_err(|error| impossible(&error))
    }

    fn header(&self, crc32: BTreeMap<String, u32>) -> Result<Header> {
        Ok(Header {
            format: FORMAT.to_owned(),
            config: serde_json::to_value(&self.config).map_err(|error| refuse("a config", error))?,
            shape: self.shape,
            kernels: self.kernels.clone(),
            data: self.data,
            validation: self.validation,
            test: self.test,
            scale: self.transform.scaling.kind,
            columns: self.columns.clone(),
            bytes: self.bytes,
            classes: self.transform.classes.clone(),
            metrics: self.metrics.clone(),
            crc32,
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
        let (reader, header, is_first) = opened(bytes)?;
        let config = config_of(registry, header.config)?;
        let model = header.shape.try_into().and_then(|shape| Model::new(&config.model, shape));
        let model = model.map_err(|error| refuse("a model that can be", error))?;
        let (classes, named) = (model.classes(), header.classes.len());
        if usize::try_from(classes).ok() != Some(named) {
            return Err(refuse(format!("the names of {classes} classes"), named));
        }
        let mut slots = reader.slots()?;
        let state =
            reader.sized(STATE, Dtype::U32, &[if is_first { earlier::STATE_WORDS } else { State::WORDS }])?;
        if is_first {
            earlier::add_rates(&mut slots, &state, &model);
        }
        earlier::add_factors(&mut slots);
        let (images, state) = (header.data.images, State::from_words(&state[..State::WORDS]));
        check_position(&config, images, &state, &header.progress)?;
        check_sums(&config, images, &header.progress, model.terms())?;
        let update = config.train.update(images);
        let plan = update.and_then(|by| model.training(config.train.batch, images, true, &by, false));
        let plan = plan.map_err(|error| refuse("a model that can be trained", error))?;
        check_slots(&plan, &slots)?;
        let pixels = header.shape.iter().fold(1, |pixels: usize, extent| pixels.saturating_mul(*extent));
        let center = config.model.center.then(|| reader.floats(CENTER, &[pixels])).transpose()?;
        let scaling = reader.scaling(header.scale, pixels)?;
        let constant = match reader.tensors.tensor(CONSTANT) {
            Ok(_) => ConstantModel::of_numbers(
                &config.model,
                reader.floats(CONSTANT, &[pixels.saturating_add(1)])?,
            ),
            Err(_) => None,
        };
        Ok(Self {
            shape: header.shape,
            kernels: header.kernels,
            slots,
            transform: Transform {
                scaling,
                center,
                precision: config.data.precision,
                classes: header.classes,
            },
            columns: header.columns,
            bytes: header.bytes,
            constant,
            metrics: header.metrics,
            state,
            progress: header.progress,
            data: header.data,
            validation: header.validation,
            test: header.test,
            config,
        })
    }
}

/// The epochs and the steps that are done by the content of a checkpoint, where that is as it was saved.
///
/// # Errors
/// [`Error::Bytes`] naming what is damaged.
pub(crate) fn position(bytes: &[u8]) -> Result<(u32, u64)> {
    let (_, header, _) = opened(bytes)?;
    Ok((header.progress.epoch, header.progress.step))
}

// Its tensors and its header, compared with their checksums, and whether it is of the first format.
fn opened(bytes: &[u8]) -> Result<(Reader<'_>, Header, bool)> {
    let reader = Reader { tensors: SafeTensors::deserialize(bytes).map_err(|error| damaged(&error))? };
    let text = header(bytes)?;
    let unreadable = |error| refuse(format!("the fields of a {FORMAT}"), error);
    let header: Value = serde_json::from_str(&text).map_err(unreadable)?;
    // The format first: a later one may have other fields.
    if let Some(format) = header.get("format").and_then(Value::as_str)
        && ![FORMAT, earlier::FORMAT].contains(&format)
    {
        return Err(refuse(format!("{FORMAT:?}"), format!("{format:?}")));
    }
    let first_format = earlier::header(&header);
    let is_first = first_format.is_some();
    let header: Header = serde_json::from_value(first_format.unwrap_or(header)).map_err(unreadable)?;
    check_closed(&text, &header.crc32)?;
    check_tensors(&reader.tensors, &header.crc32)?;
    Ok((reader, header, is_first))
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

// Its text.
fn header(bytes: &[u8]) -> Result<String> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(&error))?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get("narrows").cloned());
    text.ok_or_else(|| refuse("a checkpoint of narrows", "safetensors of another program"))
}

// No other number is saved, so a file with one was damaged before it had checksums, or written by another program.
fn finite(name: &str, values: Vec<f32>) -> Result<Vec<f32>> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(value) => Err(refuse(format!("finite numbers in the tensor {name:?}"), value)),
        None => Ok(values),
    }
}

struct Reader<'a> {
    tensors: SafeTensors<'a>,
}

impl Reader<'_> {
    // A tensor of one of these numbers of words.
    fn sized(&self, name: &str, dtype: Dtype, lengths: &[usize]) -> Result<Vec<u32>> {
        let many: Vec<String> = lengths.iter().map(usize::to_string).collect();
        let expected = || format!("a tensor {name:?} of {} words of {dtype:?}", many.join(" or "));
        let tensor = self.tensors.tensor(name).map_err(|_| refuse(expected(), "nothing of that name"))?;
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(tensor.data());
        if tensor.dtype() == dtype && lengths.contains(&words.len()) {
            return Ok(words);
        }
        Err(refuse(expected(), format!("{} of {:?}", words.len(), tensor.dtype())))
    }

    // A tensor of finite numbers, of one of these lengths.
    fn floats(&self, name: &str, lengths: &[usize]) -> Result<Vec<f32>> {
        finite(name, bytemuck::cast_vec(self.sized(name, Dtype::F32, lengths)?))
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
            let values = finite(name, bytemuck::pod_collect_to_vec(tensor.data()))?;
            slots.insert(name.to_owned(), tensor.shape().to_vec(), values);
        }
        Ok(slots)
    }
}
