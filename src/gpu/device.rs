//! A device, its queue and everything created from them once.

use std::sync::{Arc, Mutex, PoisonError};

use narrows_shaders::{Entry, Shader};

use super::adapter::{adapters, compute_floor};
use super::pipeline::{Pipeline, Pipelines, Wanted};
use super::{AdapterSummary, MatMulVariant, Measured, Selector, Variants, choose};
use crate::{Error, Result};

// What a data set may take of memory that is the host's too, where streaming costs hardly more than a copy.
const SHARED_MEMORY: u64 = 1 << 30;

/// How to open a device.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Which adapter.
    pub selector: Selector,
    /// Which variants make the matrix products.
    pub kernels: Kernels,
    /// Request WebGPU's default limits and no optional feature, whatever the adapter offers.
    pub only_defaults: bool,
    /// The most bytes of its memory that a data set may take; larger ones stream. None: 1 GiB where that is the main memory,
    /// else whatever it has.
    pub data_memory: Option<u64>,
}

/// How variants are chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kernels {
    /// By rule.
    #[default]
    Rule,
    /// By what was measured on the same adapter, and the rule for the rest.
    Measured(Arc<Measured>),
    /// One for all.
    One(MatMulVariant),
    /// As another device, or this one at another time, had them.
    Exactly(Variants),
}

impl Kernels {
    fn on(&self, info: &wgpu::AdapterInfo, features: wgpu::Features) -> Result<Variants> {
        let variants = match self {
            Self::Rule => Variants::rule(info, features),
            Self::Measured(measured) => match measured.of(info) {
                Some(fastest) => Variants::measured(info, features, fastest.clone()),
                None => Variants::rule(info, features),
            },
            Self::One(variant) => Variants::one(*variant),
            Self::Exactly(variants) => variants.clone(),
        };
        if variants.run_on(info, features) {
            return Ok(variants);
        }
        let runs = MatMulVariant::ALL.into_iter().filter(|variant| variant.runs_on(info, features));
        let names: Vec<&str> = runs.map(MatMulVariant::name).collect();
        let expected = format!("what {} can run (rule, measured, {})", info.name, names.join(", "));
        Err(Error::setting("kernels", expected, variants))
    }
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
    /// The most bytes of its memory that a data set may take.
    pub data_memory: u64,
    trouble: Arc<Mutex<Option<Trouble>>>,
    pipelines: Pipelines,
    scratch: Mutex<Option<wgpu::Buffer>>,
}

/// What a driver reported outside of any call that could return it.
#[derive(Clone, Debug)]
enum Trouble {
    /// The device is gone.
    Lost(String),
    /// It refused work that was already submitted.
    Refused(String),
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
        let variants = options.kernels.on(&summary.info, features)?;
        let trouble = watch(&device);
        let own = summary.info.device_type == wgpu::DeviceType::DiscreteGpu;
        let data_memory = options.data_memory.unwrap_or(if own { u64::MAX } else { SHARED_MEMORY });
        let pipelines = Pipelines::default();
        let scratch = Mutex::default();
        Ok(Self { device, queue, adapter: summary, variants, data_memory, trouble, pipelines, scratch })
    }

    /// The most bytes of a buffer that a kernel can read or write.
    pub fn largest_binding(&self) -> u64 {
        let limits = self.device.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// The matrix-product variants this device can run.
    pub fn matmul_variants(&self) -> Vec<MatMulVariant> {
        let features = self.device.features();
        let runs = |variant: &MatMulVariant| variant.runs_on(&self.adapter.info, features);
        MatMulVariant::ALL.into_iter().filter(runs).collect()
    }

    /// Fails once the device has been lost, or has refused something outside of [`Gpu::guarded`]. The
    /// driver's notice arrives only inside a poll, so this is asked after each.
    ///
    /// # Errors
    /// [`Error::DeviceLost`] or [`Error::Device`] with the driver's message.
    pub fn check_alive(&self, operation: &str) -> Result<()> {
        let operation = operation.to_owned();
        let noted = || self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A refusal may be the echo of a loss, whose own notice waits for one more poll.
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(Trouble::Refused(_)) = noted() {
            let _ = self.device.poll(wgpu::PollType::Poll);
        }
        match noted() {
            None => Ok(()),
            Some(Trouble::Lost(message)) => Err(Error::DeviceLost { operation, message }),
            Some(Trouble::Refused(message)) => Err(Error::Device { operation, message }),
        }
    }

    /// Waits until the device has done what was submitted; on the web, where nothing can block, it only asks after the device.
    ///
    /// # Errors
    /// As [`Gpu::check_alive`].
    pub(crate) fn wait(&self, submission: wgpu::SubmissionIndex, operation: &str) -> Result<()> {
        #[cfg(not(target_arch = "wasm32"))]
        {
            let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
            if let Err(error) = self.device.poll(wait) {
                // The cause is told before its echo: nobody can wait for a device that is gone, whose notice comes with
                // another poll.
                let _ = self.device.poll(wgpu::PollType::Poll);
                self.check_alive(operation)?;
                let (operation, message) = (operation.to_owned(), error.to_string());
                return Err(Error::Device { operation, message });
            }
        }
        #[cfg(target_arch = "wasm32")]
        let _ = submission;
        self.check_alive(operation)
    }

    // What is behind a failure: the loss of the device, where it was lost.
    pub(super) async fn cause_of(&self, failure: Error, operation: &str) -> Error {
        // A browser may tell of a loss after its echoes, but before it answers another question.
        #[cfg(target_arch = "wasm32")]
        drop(self.device.push_error_scope(wgpu::ErrorFilter::Validation).pop().await);
        self.check_alive(operation).err().unwrap_or(failure)
    }

    /// Runs `work` and turns what the driver refuses of it into an error, memory and validation both.
    ///
    /// # Errors
    /// [`Error::Device`] with the driver's message.
    pub async fn guarded<T>(&self, operation: &str, work: impl FnOnce() -> T) -> Result<T> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = work();
        let refused = validation.pop().await;
        let exhausted = memory.pop().await;
        let operation = operation.to_owned();
        let error = match (exhausted, refused) {
            (None, None) => return Ok(value),
            (Some(error), _) => Error::DeviceMemory { operation, message: error.to_string() },
            (None, Some(error)) => Error::Device { operation, message: error.to_string() },
        };
        // What failed must not be found again as if it had not.
        self.pipelines.clear();
        *self.scratch.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // What is refused by a device that is gone is no cause.
        self.check_alive("use the device")?;
        Err(error)
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

    // At least so many words for what lies between two dispatches in a row. All share them, as one follows the other.
    pub(crate) fn scratch(&self, words: usize) -> wgpu::Buffer {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let large = scratch.take().filter(|buffer| buffer.size() >= 4 * words as u64);
        scratch.insert(large.unwrap_or_else(|| self.storage("scratch", words))).clone()
    }

    /// A uniform buffer of these bytes, a whole number of 16.
    pub fn uniform(&self, mut bytes: Vec<u8>) -> wgpu::Buffer {
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("params"),
            size: bytes.len() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.queue.write_buffer(&buffer, 0, &bytes);
        buffer
    }

    /// The pipeline for one entry point with its constants, created on first use.
    pub fn pipeline(
        &self,
        shader: &'static Shader,
        entry: &'static Entry,
        constants: &[(&'static str, f64)],
    ) -> Arc<Pipeline> {
        self.pipelines.get(&self.device, shader, entry, constants)
    }

    /// Creates those that are not there yet, on all processors: so that what comes after finds them.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn create_pipelines(&self, wanted: &[Wanted]) {
        // OpenGL has one context, and wgpu panics where a thread waits for it longer than it has patience.
        if self.adapter.info.backend != wgpu::Backend::Gl {
            self.pipelines.create(&self.device, wanted);
        }
    }
}

// Without a handler of ours, wgpu ends the program on an error that no scope catches.
fn watch(device: &wgpu::Device) -> Arc<Mutex<Option<Trouble>>> {
    let trouble = Arc::new(Mutex::new(None));
    let note = |trouble: &Mutex<Option<Trouble>>, news: Trouble| {
        let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
        // The first word is the cause, and what follows its echo; but only the loss says that nothing can go on.
        *trouble = Some(match (trouble.take(), news) {
            (None, news) => news,
            (Some(Trouble::Refused(cause)), Trouble::Lost(message)) => {
                Trouble::Lost(format!("{message}; its first word was: {cause}"))
            }
            (Some(first), _) => first,
        });
    };
    let on_lost = Arc::clone(&trouble);
    device.set_device_lost_callback(move |reason, message| {
        note(&on_lost, Trouble::Lost(format!("{reason:?} {message}")));
    });
    let on_error = Arc::clone(&trouble);
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        note(&on_error, Trouble::Refused(error.to_string()));
    }));
    trouble
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
