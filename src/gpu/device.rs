//! A device, its queue and everything created from them once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use narrows_shaders::{Entry, Shader};

use super::adapter::{adapters, compute_floor};
use super::pipeline::{Pipeline, PipelineKey};
use super::{AdapterSummary, MatMulVariant, Selector, Variants, choose};
use crate::{Error, Result};

/// How to open a device.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Which adapter.
    pub selector: Selector,
    /// The matrix-product variant, instead of the rule's choice.
    pub matmul: Option<MatMulVariant>,
    /// Request WebGPU's default limits and no optional feature, whatever the adapter offers.
    pub only_defaults: bool,
}

/// An open device. Lives as long as what is created from it; one is enough for a process.
#[derive(Debug)]
pub struct Gpu {
    /// wgpu's device.
    pub device: wgpu::Device,
    /// wgpu's queue.
    pub queue: wgpu::Queue,
    /// The adapter it was opened on.
    pub adapter: AdapterSummary,
    /// The kernel variants in use.
    pub variants: Variants,
    lost: Arc<Mutex<Option<String>>>,
    pipelines: Mutex<HashMap<PipelineKey, Arc<Pipeline>>>,
}

impl Gpu {
    /// Opens the adapter that `options` select; wgpu's environment variables decide what they leave open.
    ///
    /// # Errors
    /// [`Error::NoDevice`] where none matches, [`Error::Setting`] for a variant the device cannot run,
    /// [`Error::Device`] where the driver refuses.
    pub async fn open(options: &GpuOptions) -> Result<Self> {
        let mut found = adapters().await;
        let summaries: Vec<AdapterSummary> = found.iter().map(|(summary, _)| summary.clone()).collect();
        let low_power = wgpu::PowerPreference::from_env() == Some(wgpu::PowerPreference::LowPower);
        let chosen = choose(&options.selector.or_environment(), &summaries, low_power)?;
        let (summary, adapter) = found.swap_remove(chosen);
        let (features, limits) = if options.only_defaults {
            (wgpu::Features::empty(), compute_floor())
        } else {
            (summary.features & useful_features(), generous_limits(&summary.limits))
        };
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("narrows"),
                required_features: features,
                required_limits: limits,
                ..Default::default()
            })
            .await
            .map_err(|error| Error::Device {
                operation: format!("open {}", summary.label()),
                message: error.to_string(),
            })?;
        let variants = match options.matmul {
            None => Variants::choose(&summary.info, features),
            Some(matmul) if Variants::supports(matmul, &summary.info, features) => Variants { matmul },
            Some(matmul) => {
                return Err(Error::setting(
                    "matmul variant",
                    format!("one that {} can run (tile or register)", summary.info.name),
                    format!("{matmul}, which needs subgroups of exactly 8"),
                ));
            }
        };
        let lost = Arc::new(Mutex::new(None));
        let on_lost = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            let mut lost = on_lost.lock().unwrap_or_else(PoisonError::into_inner);
            *lost = Some(format!("{reason:?} {message}"));
        });
        Ok(Self { device, queue, adapter: summary, variants, lost, pipelines: Mutex::new(HashMap::new()) })
    }

    /// The matrix-product variants this device can run.
    pub fn matmul_variants(&self) -> Vec<MatMulVariant> {
        let features = self.device.features();
        let runs = |variant| Variants::supports(variant, &self.adapter.info, features);
        MatMulVariant::ALL.into_iter().filter(|variant| runs(*variant)).collect()
    }

    /// Fails once the device has been lost. The driver's notice arrives only inside a poll, so this is
    /// asked after each.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] with the driver's words.
    pub fn check_alive(&self, operation: &str) -> Result<()> {
        match &*self.lost.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(message) => {
                Err(Error::DeviceLost { operation: operation.to_owned(), message: message.clone() })
            }
        }
    }

    /// Runs `work` and turns what the driver refuses of it into an error, memory and validation both.
    ///
    /// # Errors
    /// [`Error::Device`] with the driver's words.
    pub async fn guarded<T>(&self, operation: &str, work: impl FnOnce() -> T) -> Result<T> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = work();
        let refused = validation.pop().await;
        let exhausted = memory.pop().await;
        match exhausted.or(refused) {
            None => Ok(value),
            Some(error) => Err(Error::Device { operation: operation.to_owned(), message: error.to_string() }),
        }
    }

    /// A zeroed storage buffer of `words` 32-bit words that can be copied from and to.
    pub fn storage(&self, label: &str, words: usize) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: 4 * words as u64,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// The pipeline for one entry point with its constants, created on first use.
    pub fn pipeline(
        &self,
        shader: &'static Shader,
        entry: &'static Entry,
        constants: &[(&'static str, f64)],
    ) -> Arc<Pipeline> {
        let key = PipelineKey::new(shader, entry, constants);
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let create = || Arc::new(Pipeline::create(&self.device, shader, entry, constants));
        Arc::clone(pipelines.entry(key).or_insert_with(create))
    }
}

/// What unlocks a variant or a measurement where the adapter has it.
fn useful_features() -> wgpu::Features {
    wgpu::Features::SUBGROUP | wgpu::Features::TIMESTAMP_QUERY
}

// Larger data sets want larger buffers; everything else stays at WebGPU's defaults so that no kernel can
// come to depend on more.
fn generous_limits(offered: &wgpu::Limits) -> wgpu::Limits {
    wgpu::Limits {
        max_buffer_size: offered.max_buffer_size,
        max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
        ..compute_floor()
    }
}
