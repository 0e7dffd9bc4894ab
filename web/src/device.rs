//! A device of WebGPU.

use narrows::gpu::GpuOptions;
use narrows::graph;
use serde_json::json;
use wasm_bindgen::prelude::*;

use crate::wire::{Answer, object, thrown};

/// An open device.
#[wasm_bindgen]
pub struct Device {
    inner: graph::Device,
}

impl Device {
    pub(crate) const fn inner(&self) -> &graph::Device {
        &self.inner
    }
}

/// The device that the browser gives, with WebGPU's default limits.
///
/// # Errors
/// `NoDevice` where the browser has none.
pub(crate) async fn open() -> narrows::Result<graph::Device> {
    graph::Device::open(&GpuOptions { only_defaults: true, ..GpuOptions::default() }).await
}

#[wasm_bindgen]
impl Device {
    /// Opens the device that the browser gives, with WebGPU's default limits. Throws `NoDevice` where there is none.
    pub async fn open() -> Answer<Device> {
        Ok(Self { inner: open().await.map_err(thrown)? })
    }

    /// What it is, and which kernels make its matrix products.
    #[wasm_bindgen(getter, unchecked_return_type = "DeviceInfo")]
    pub fn info(&self) -> Answer {
        let graph::Device::Gpu(gpu) = &self.inner else {
            return object(&json!({ "name": self.inner.name() }));
        };
        let info = &gpu.adapter.info;
        object(&json!({
            "name": info.name, "driver": info.driver, "kind": format!("{:?}", info.device_type),
            "kernels": gpu.variants.to_string(),
        }))
    }

    /// Gives the device up, as a browser does that takes it away: whatever runs on it fails with `DeviceLost`.
    pub fn destroy(&self) {
        if let graph::Device::Gpu(gpu) = &self.inner {
            gpu.device.destroy();
        }
    }
}
