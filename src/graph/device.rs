//! Where plans run: a device behind wgpu, or the CPU reference.

use std::sync::Arc;

use crate::Result;
use crate::gpu::{Gpu, GpuOptions, Variants};

/// Where plans run.
#[derive(Clone, Debug)]
pub enum Device {
    /// A device behind wgpu.
    Gpu(Arc<Gpu>),
    /// The reference, in plain Rust on all processors: for machines without a driver, and for checks.
    Cpu,
}

impl Device {
    /// Opens the device that `options` select; fails as [`Gpu::open`].
    pub async fn open(options: &GpuOptions) -> Result<Self> {
        Ok(Self::Gpu(Arc::new(Gpu::open(options).await?)))
    }

    /// Its name in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Gpu(gpu) => format!("{} ({})", gpu.adapter.info.name, gpu.adapter.info.backend),
            Self::Cpu => "the CPU reference".to_owned(),
        }
    }

    /// The kernel variants it runs; None for the reference, which has only one of each kernel.
    pub fn variants(&self) -> Option<Variants> {
        match self {
            Self::Gpu(gpu) => Some(gpu.variants.clone()),
            Self::Cpu => None,
        }
    }
}
