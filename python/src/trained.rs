//! A trained model in use.

use std::path::PathBuf;
use std::sync::Arc;

use narrows::data::Dataset;
use narrows::export::{self, Exported};
use narrows::graph;
use narrows::infer::{Decoder, Encoder, Interpolation, Reconstructor, Scores, prior_codes};
use narrows::model::Registry;
use narrows::run::Found;
use narrows::train::Checkpoint;
use narrows::{Error, Result};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pollster::block_on;
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;

use crate::arrays::dataset;
use crate::device::Device;
use crate::errors::raised;
use crate::interruptible::interruptible;
use crate::settings;

// Codes that are decoded at once, at most.
const CODES: usize = 256;

/// A trained model, on a device.
#[pyclass(module = "narrows._narrows", frozen)]
pub(crate) struct Trained {
    device: graph::Device,
    checkpoint: Arc<Checkpoint>,
}

type Array<'py> = Bound<'py, PyArray2<f32>>;
type Scored<'py> = (Vec<String>, Bound<'py, PyArray1<f64>>, String, Option<String>);

impl Trained {
    pub(crate) fn new(device: graph::Device, checkpoint: Checkpoint) -> Self {
        Self { device, checkpoint: Arc::new(checkpoint) }
    }

    pub(crate) const fn device(&self) -> &graph::Device {
        &self.device
    }

    pub(crate) fn shared(&self) -> Arc<Checkpoint> {
        Arc::clone(&self.checkpoint)
    }

    // On a thread of its own, with what every use of a model needs.
    fn used<T: Send + 'static>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&graph::Device, &Checkpoint) -> Result<T> + Send + 'static,
    ) -> PyResult<T> {
        let (device, checkpoint) = (self.device.clone(), self.shared());
        interruptible(py, move || work(&device, &checkpoint))
    }

    fn taken(
        &self,
        array: &Bound<'_, PyAny>,
        labels: Option<Vec<u8>>,
    ) -> PyResult<(Dataset, Option<String>)> {
        let mut data = dataset("X", array, labels)?;
        let remark = self.checkpoint.take_array(&mut data);
        Ok((data, remark))
    }
}

// Whether there is room for so many rows.
fn check_room(count: usize, width: usize) -> PyResult<()> {
    let numbers = count.checked_mul(width).filter(|numbers| Vec::<f32>::new().try_reserve(*numbers).is_ok());
    match numbers {
        Some(_) => Ok(()),
        None => {
            let got = format!("no memory for {count} rows of {width} numbers: make fewer at a time");
            Err(PyMemoryError::new_err(got))
        }
    }
}

// Rows of `width` numbers.
fn rows<'py>(py: Python<'py>, numbers: Vec<f32>, width: usize) -> PyResult<Array<'py>> {
    let count = numbers.len().checked_div(width).unwrap_or_default();
    numbers.into_pyarray(py).reshape([count, width])
}

#[pymethods]
impl Trained {
    /// What a run's folder or a checkpoint's file holds, of a run the best checkpoint; and a remark where it is another.
    #[staticmethod]
    fn open(py: Python<'_>, device: &Device, path: PathBuf) -> PyResult<(Self, Option<String>)> {
        let find = || Checkpoint::find(&Registry::built_in(), &path, None);
        let Found { checkpoint, remark } = py.detach(find).map_err(raised)?;
        Ok((Self::new(device.inner().clone(), checkpoint), remark))
    }

    /// The model of a checkpoint's bytes.
    #[staticmethod]
    fn from_bytes(device: &Device, bytes: &[u8]) -> PyResult<Self> {
        Ok(Self::new(device.inner().clone(), Checkpoint::from_bytes(bytes).map_err(raised)?))
    }

    /// The checkpoint's bytes: a safetensors file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.checkpoint.to_bytes().map_err(raised)?))
    }

    /// What it is, as JSON: the shape of its items, the size of its code, its epoch, its settings.
    #[getter]
    fn info(&self) -> PyResult<String> {
        let model = self.checkpoint.model().map_err(raised)?;
        let described = json!({
            "shape": self.checkpoint.shape, "latent": model.latent(), "epoch": self.checkpoint.epoch(),
            "step": self.checkpoint.step(), "bytes": self.checkpoint.bytes, "kernels": self.checkpoint.kernels,
            "columns": self.checkpoint.columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
            "classes": self.checkpoint.transform.classes,
        });
        Ok(described.to_string())
    }

    /// All settings, as JSON.
    #[getter]
    fn settings(&self) -> String {
        settings::of(&self.checkpoint.config)
    }

    /// Codes `[n, latent]` of an array; and a remark where its numbers are far from those of training. `labels`: the class of
    /// each item, where the model is told of it.
    #[pyo3(signature = (array, labels = None))]
    fn encode<'py>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        labels: Option<Vec<u8>>,
    ) -> PyResult<(Array<'py>, Option<String>)> {
        let (data, remark) = self.taken(array, labels)?;
        let codes = self.used(py, move |device, checkpoint| {
            block_on(async { Encoder::new(device, checkpoint, &data).await?.run().await })
        })?;
        let latent = self.checkpoint.model().map_err(raised)?.latent() as usize;
        Ok((rows(py, codes, latent)?, remark))
    }

    /// Reconstructions `[n, numbers]` of an array, in the data's own units; and a remark, as `encode`.
    #[pyo3(signature = (array, labels = None))]
    fn reconstruct<'py>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        labels: Option<Vec<u8>>,
    ) -> PyResult<(Array<'py>, Option<String>)> {
        let (data, remark) = self.taken(array, labels)?;
        let width = data.pixels();
        let images = self.used(py, move |device, checkpoint| {
            let result =
                block_on(async { Reconstructor::new(device, checkpoint, &data).await?.run().await })?;
            Ok(checkpoint.in_own_units(result.images))
        })?;
        Ok((rows(py, images, width)?, remark))
    }

    /// The means `[n, numbers]`, in the data's own units, of codes `[n, latent]`, each of a class where the model is told of it.
    #[pyo3(signature = (codes, classes = Vec::new()))]
    fn decode<'py>(
        &self,
        py: Python<'py>,
        codes: PyReadonlyArray2<'py, f32>,
        classes: Vec<u32>,
    ) -> PyResult<Array<'py>> {
        let codes = codes.as_array().iter().copied().collect::<Vec<f32>>();
        let images = self.used(py, move |device, checkpoint| {
            let decode =
                async { Decoder::new(device, checkpoint, CODES).await?.decode_as(&codes, &classes).await };
            Ok(checkpoint.in_own_units(block_on(decode)?))
        })?;
        rows(py, images, self.checkpoint.shape.iter().product())
    }

    /// `count` codes `[count, latent]` of the prior, a standard normal.
    fn prior<'py>(&self, py: Python<'py>, count: usize, seed: u64) -> PyResult<Array<'py>> {
        self.checkpoint.check_prior().map_err(raised)?;
        let latent = self.checkpoint.model().map_err(raised)?.latent() as usize;
        check_room(count, latent.max(self.checkpoint.shape.iter().product()))?;
        rows(py, prior_codes(seed, count, latent), latent)
    }

    /// `count` codes from `a` to `b`, both included: on a straight line or an arc.
    #[staticmethod]
    fn interpolate<'py>(
        py: Python<'py>,
        a: Vec<f32>,
        b: Vec<f32>,
        count: usize,
        arc: bool,
    ) -> PyResult<Array<'py>> {
        check_room(count, a.len())?;
        let kind = if arc { Interpolation::Spherical } else { Interpolation::Linear };
        rows(py, kind.codes(&a, &b, count), a.len())
    }

    /// How unusual each item is: the names of the columns, the numbers `[n * columns]`, which column the score is of, and a
    /// remark. `samples` above 0: the importance-weighted bound too.
    #[pyo3(signature = (array, samples = 0, labels = None))]
    fn scores<'py>(
        &self,
        py: Python<'py>,
        array: &Bound<'py, PyAny>,
        samples: u32,
        labels: Option<Vec<u8>>,
    ) -> PyResult<Scored<'py>> {
        let (data, remark) = self.taken(array, labels)?;
        let scores = self
            .used(py, move |device, checkpoint| block_on(Scores::new(device, checkpoint, &data, samples)))?;
        let numbers: Vec<f64> = (0..scores.anomaly.len()).flat_map(|at| scores.row(at)).collect();
        Ok((scores.columns(), numbers.into_pyarray(py), scores.by, remark))
    }

    /// Its files in a format, `onnx` or `pytorch`, by name.
    fn export(&self, format: &str) -> PyResult<Vec<(String, Vec<u8>)>> {
        let Exported { files, .. } = match format {
            "onnx" => export::to_onnx(&self.checkpoint),
            "pytorch" => export::to_pytorch(&self.checkpoint),
            _ => Err(Error::setting("format", "onnx or pytorch", format)),
        }
        .map_err(raised)?;
        Ok(files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect())
    }
}
