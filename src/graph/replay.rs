//! Running a plan, on a device or on the CPU, behind one interface.

use std::ops::Range;
use std::sync::Arc;

use super::cpu::CpuReplay;
use super::gpu::{GpuPending, GpuReplay};
use super::{Plan, Slice};
use crate::gpu::{Gpu, GpuOptions, Variants};
use crate::kernels::{floats, state::State};
use crate::{Error, Result};

/// Where plans run.
#[derive(Clone, Debug)]
pub enum Device {
    /// A device behind wgpu.
    Gpu(Arc<Gpu>),
    /// The reference, in plain Rust on all processors. For machines without any driver, and for checks.
    Cpu,
}

impl Device {
    /// Opens the device that `options` select.
    ///
    /// # Errors
    /// As [`Gpu::open`].
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

    /// The kernel variants it runs; None for the reference, which has but one of each.
    pub fn variants(&self) -> Option<Variants> {
        match self {
            Self::Gpu(gpu) => Some(gpu.variants),
            Self::Cpu => None,
        }
    }
}

/// A plan ready to run. Owns its buffers; lives as long as training, or one evaluation.
#[derive(Debug)]
pub struct Replay(Target);

#[derive(Debug)]
enum Target {
    Gpu(Box<GpuReplay>),
    Cpu(Arc<Plan>, CpuReplay),
}

/// Words on their way back: from [`Replay::submit`], for [`Replay::wait`].
#[derive(Debug)]
pub struct Pending(Arriving);

#[derive(Debug)]
enum Arriving {
    Gpu(GpuPending),
    Cpu(Vec<u32>),
}

impl Replay {
    /// Allocates the plan's buffers, zeroed, and compiles what it runs.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where a buffer exceeds the device, [`Error::Device`] where the driver refuses.
    pub async fn new(device: &Device, plan: Plan) -> Result<Self> {
        let plan = Arc::new(plan);
        Ok(Self(match device {
            Device::Gpu(gpu) => Target::Gpu(Box::new(GpuReplay::new(Arc::clone(gpu), plan).await?)),
            Device::Cpu => Target::Cpu(Arc::clone(&plan), CpuReplay::new(plan)),
        }))
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        match &self.0 {
            Target::Gpu(gpu) => gpu.plan(),
            Target::Cpu(plan, _) => plan,
        }
    }

    /// Writes the words of the named range.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown name, [`Error::Shape`] for another length.
    pub fn write(&mut self, name: &str, words: &[u32]) -> Result<()> {
        let slice = self.plan().slice(name)?;
        if words.len() != slice.words {
            let count = |n: usize| format!("{n} words");
            return Err(Error::shape(format!("write {name}"), count(slice.words), count(words.len())));
        }
        self.write_slice(slice, words);
        Ok(())
    }

    pub(super) fn write_slice(&mut self, slice: Slice, words: &[u32]) {
        match &mut self.0 {
            Target::Gpu(gpu) => gpu.write(slice, words),
            Target::Cpu(_, cpu) => cpu.write(slice, words),
        }
    }

    /// Writes the named range as floats.
    ///
    /// # Errors
    /// As [`Replay::write`].
    pub fn write_floats(&mut self, name: &str, values: &[f32]) -> Result<()> {
        self.write(name, bytemuck::cast_slice(values))
    }

    /// Writes the step's state.
    ///
    /// # Errors
    /// As [`Replay::write`].
    pub fn write_state(&mut self, state: &State) -> Result<()> {
        let slice = self.plan().slice("state")?;
        self.write_slice(slice, state.words());
        Ok(())
    }

    /// Reads the step's state.
    ///
    /// # Errors
    /// As [`Replay::read`].
    pub async fn read_state(&self) -> Result<State> {
        Ok(State::from_words(&self.read("state").await?))
    }

    /// Reads the words of the named range, after all that was submitted.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown name, [`Error::DeviceLost`].
    pub async fn read(&self, name: &str) -> Result<Vec<u32>> {
        self.read_slice(self.plan().slice(name)?).await
    }

    pub(super) async fn read_slice(&self, slice: Slice) -> Result<Vec<u32>> {
        match &self.0 {
            Target::Gpu(gpu) => gpu.read(slice).await,
            Target::Cpu(_, cpu) => Ok(cpu.read(slice)),
        }
    }

    /// Reads the named range as floats.
    ///
    /// # Errors
    /// As [`Replay::read`].
    pub async fn read_floats(&self, name: &str) -> Result<Vec<f32>> {
        Ok(floats(&self.read(name).await?).to_vec())
    }

    /// Copies the named range from another replay on the same device, without passing the host where
    /// both are on a GPU.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown name, [`Error::Shape`] for other lengths or devices.
    pub fn copy_from(&mut self, name: &str, other: &Self) -> Result<()> {
        let (to, from) = (self.plan().slice(name)?, other.plan().slice(name)?);
        if to.words != from.words {
            return Err(Error::shape(format!("copy {name}"), to.words, from.words));
        }
        match (&mut self.0, &other.0) {
            (Target::Gpu(gpu), Target::Gpu(source)) if Arc::ptr_eq(&gpu.gpu, &source.gpu) => {
                gpu.copy_from(to, source, from);
            }
            (Target::Cpu(_, cpu), Target::Cpu(_, source)) => cpu.write(to, &source.read(from)),
            _ => {
                return Err(Error::shape(format!("copy {name}"), "two replays on one device", "two devices"));
            }
        }
        Ok(())
    }

    /// Writes the first parameters for `seed`, and the first statistics where the model has any.
    ///
    /// # Errors
    /// As [`Replay::write`].
    pub fn write_initial(&mut self, seed: u64) -> Result<()> {
        let plan = self.plan();
        let (parameters, statistics) = (plan.parameters.initial(seed), plan.statistics.initial(seed));
        self.write_trained(&parameters, &statistics)
    }

    /// Writes the flat buffers of parameters and, where the model has any, of statistics.
    ///
    /// # Errors
    /// As [`Replay::write`].
    pub fn write_trained(&mut self, parameters: &[f32], statistics: &[f32]) -> Result<()> {
        self.write_floats("parameters", parameters)?;
        if self.plan().statistics.is_empty() && statistics.is_empty() {
            return Ok(());
        }
        self.write_floats("statistics", statistics)
    }

    /// Copies what training changes of a model, its parameters and, where it has any, its statistics, from another
    /// replay on the same device.
    ///
    /// # Errors
    /// As [`Replay::copy_from`].
    pub fn copy_trained(&mut self, other: &Self) -> Result<()> {
        self.copy_from("parameters", other)?;
        if self.plan().statistics.is_empty() {
            return Ok(());
        }
        self.copy_from("statistics", other)
    }

    /// Reads the flat buffer of statistics, which is empty where the model has none.
    ///
    /// # Errors
    /// As [`Replay::read`].
    pub async fn read_statistics(&self) -> Result<Vec<f32>> {
        if self.plan().statistics.is_empty() {
            return Ok(Vec::new());
        }
        self.read_floats("statistics").await
    }

    /// Runs `steps` steps in one submit, at most [`Plan::ring_steps`], with a copy of the named range
    /// behind them. Returns at once on a GPU: await [`Replay::wait`] later.
    ///
    /// # Errors
    /// [`Error::Setting`] for an unknown name, or for more steps than the ring holds.
    pub fn submit(&mut self, steps: u32, report: &str) -> Result<Pending> {
        let most = Plan::ring_steps();
        if steps > most {
            return Err(Error::setting("steps of a submit", format!("at most {most}"), steps));
        }
        let report = self.plan().slice(report)?;
        let all = 0..self.plan().dispatches.len();
        Ok(self.submit_range(steps, all, report))
    }

    pub(super) fn submit_range(&mut self, steps: u32, dispatches: Range<usize>, report: Slice) -> Pending {
        Pending(match &mut self.0 {
            Target::Gpu(gpu) => Arriving::Gpu(gpu.submit(steps, dispatches, report)),
            Target::Cpu(_, cpu) => {
                cpu.run(steps, dispatches);
                Arriving::Cpu(cpu.read(report))
            }
        })
    }

    /// Waits for what a submit reports.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or [`Error::Device`] where the words cannot be read.
    pub async fn wait(&mut self, pending: Pending) -> Result<Vec<u32>> {
        match (&mut self.0, pending.0) {
            (Target::Gpu(gpu), Arriving::Gpu(pending)) => gpu.wait(pending).await,
            (_, Arriving::Cpu(words)) => Ok(words),
            (Target::Cpu(..), Arriving::Gpu(_)) => {
                Err(Error::shape("wait", "a submit of this replay", "one of another device"))
            }
        }
    }

    /// Runs `steps` steps and waits for them.
    ///
    /// # Errors
    /// As [`Replay::wait`].
    pub async fn run(&mut self, steps: u32) -> Result<()> {
        let mut left = steps;
        while left > 0 {
            let now = left.min(Plan::ring_steps());
            let pending = self.submit(now, "state")?;
            self.wait(pending).await?;
            left -= now;
        }
        Ok(())
    }
}
