//! Devices: those that there are, and one that is open.

use narrows::gpu::{GpuOptions, adapters};
use narrows::graph;
use pollster::block_on;
use pyo3::prelude::*;
use serde_json::json;

use crate::errors::raised;
use crate::interruptible::interruptible;

/// An open device.
#[pyclass(module = "narrows._narrows", frozen)]
pub(crate) struct Device {
    inner: graph::Device,
}

impl Device {
    pub(crate) const fn inner(&self) -> &graph::Device {
        &self.inner
    }
}

#[pymethods]
impl Device {
    /// Opens what `selector` names: `auto`, an index, `BACKEND:INDEX`, a part of a name, or `cpu`. `memory`: the most bytes
    /// of its memory that a part of the data may take.
    #[new]
    #[pyo3(signature = (selector = "auto", memory = None))]
    fn open(py: Python<'_>, selector: &str, memory: Option<u64>) -> PyResult<Self> {
        if selector.eq_ignore_ascii_case("cpu") {
            return Ok(Self { inner: graph::Device::Cpu });
        }
        let selector = selector.parse().map_err(raised)?;
        let options = GpuOptions { selector, data_memory: memory, ..GpuOptions::default() };
        let inner = interruptible(py, move || block_on(graph::Device::open(&options)))?;
        Ok(Self { inner })
    }

    /// Its name.
    #[getter]
    fn name(&self) -> String {
        self.inner.name()
    }

    fn __repr__(&self) -> String {
        format!("<narrows device: {}>", self.inner.name())
    }
}

/// The devices that there are, as JSON.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> String {
    let found = py.detach(|| block_on(adapters()));
    let described = found.into_iter().map(|(summary, _)| {
        json!({
            "index": summary.index, "name": summary.info.name, "backend": summary.info.backend.to_string(),
            "selector": format!("{}:{}", summary.info.backend, summary.backend_index),
            "kind": format!("{:?}", summary.info.device_type), "driver": summary.info.driver_info,
            "unusable": summary.unusable,
        })
    });
    serde_json::Value::from_iter(described).to_string()
}
