//! Running a plan, on a device or on the CPU, behind one interface.

use std::ops::Range;
use std::sync::Arc;

use super::cpu::CpuReplay;
use super::gpu::{GpuPending, GpuReplay};
use super::{Plan, Slice, Slots, Store, StoreKind};
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
pub struct Replay {
    target: Target,
    // Steps that are done once all that was submitted is: which dispatches run goes by it.
    done: u32,
}

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
        let target = match device {
            Device::Gpu(gpu) => Target::Gpu(Box::new(GpuReplay::new(Arc::clone(gpu), plan).await?)),
            Device::Cpu => Target::Cpu(Arc::clone(&plan), CpuReplay::new(plan)),
        };
        Ok(Self { target, done: 0 })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        match &self.target {
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
        match &mut self.target {
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
        self.done = state.step;
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
        match &self.target {
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
        self.copy_slice(name, other, other.plan().slice(name)?)
    }

    fn copy_slice(&mut self, name: &str, other: &Self, from: Slice) -> Result<()> {
        let to = self.plan().slice(name)?;
        if to.words != from.words {
            return Err(Error::shape(format!("copy {name}"), to.words, from.words));
        }
        match (&mut self.target, &other.target) {
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

    /// Writes what there is before the first step: the state, and the first values of every store for `seed`.
    ///
    /// # Errors
    /// As [`Replay::write`].
    pub fn write_initial(&mut self, seed: u64) -> Result<()> {
        for Store { name, layout, .. } in self.plan().stores.clone() {
            self.write_floats(&name, &layout.initial(seed))?;
        }
        self.write_state(&State::new(seed))
    }

    /// Writes all slots of the plan from `slots`, by their names in a checkpoint.
    ///
    /// # Errors
    /// [`Error::Shape`] naming a slot that is missing or has another shape; as [`Replay::write`].
    pub fn write_slots(&mut self, slots: &Slots) -> Result<()> {
        for Store { name, prefix, layout, .. } in self.plan().stores.clone() {
            let flat = layout.pack(|slot| slots.get(&format!("{prefix}{slot}")))?;
            self.write_floats(&name, &flat)?;
        }
        Ok(())
    }

    /// Reads all slots of the plan, by their names in a checkpoint.
    ///
    /// # Errors
    /// As [`Replay::read`].
    pub async fn read_slots(&self) -> Result<Slots> {
        let mut slots = Slots::default();
        for store in &self.plan().stores {
            let flat = self.read_floats(&store.name).await?;
            for (name, slot) in store.slots() {
                slots.insert(name, slot.shape.clone(), store.layout.view(slot, &flat).to_vec());
            }
        }
        Ok(slots)
    }

    /// Copies what training changes of a model, and this plan has, from another replay on the same device: parameters
    /// and statistics, not the optimizer's moments.
    ///
    /// # Errors
    /// As [`Replay::copy_from`].
    pub fn copy_trained(&mut self, other: &Self) -> Result<()> {
        let trained = |store: &&Store| matches!(store.kind, StoreKind::Parameters | StoreKind::Statistics);
        let stores: Vec<Store> = self.plan().stores.iter().filter(trained).cloned().collect();
        stores.iter().try_for_each(|Store { name, layout, .. }| {
            let mut from = other.plan().slice(name)?;
            // What a step declares itself stands behind what every plan has: a plan without that step ends before it.
            if other.plan().stores.iter().any(|store| store.name == *name && layout.begins(&store.layout)) {
                from.words = layout.words();
            }
            self.copy_slice(name, other, from)
        })
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
        let all: Vec<usize> = (0..self.plan().dispatches.len()).collect();
        let done = self.done;
        self.done = done.wrapping_add(steps);
        let plan = self.plan();
        let each_step = plan.dispatches.iter().all(|dispatch| dispatch.every.contains(&1));
        let running = |step: u32| -> Vec<usize> {
            all.iter().copied().filter(|at| plan.dispatches[*at].runs(done.wrapping_add(step))).collect()
        };
        let rounds: Vec<Vec<usize>> = match each_step {
            true => vec![all.clone(); steps as usize],
            false => (0..steps).map(running).collect(),
        };
        Ok(self.submit_rounds(&rounds, report))
    }

    /// Runs a range of dispatches, `rounds` times, whatever their periods.
    pub(super) fn submit_range(&mut self, rounds: u32, dispatches: Range<usize>, report: Slice) -> Pending {
        self.submit_rounds(&vec![dispatches.collect(); rounds as usize], report)
    }

    fn submit_rounds(&mut self, rounds: &[Vec<usize>], report: Slice) -> Pending {
        let dispatches = rounds.iter().flatten().copied();
        Pending(match &mut self.target {
            Target::Gpu(gpu) => Arriving::Gpu(gpu.submit(dispatches, report)),
            Target::Cpu(_, cpu) => {
                cpu.run(dispatches);
                Arriving::Cpu(cpu.read(report))
            }
        })
    }

    /// Waits for what a submit reports.
    ///
    /// # Errors
    /// [`Error::DeviceLost`], or [`Error::Device`] where the words cannot be read.
    pub async fn wait(&mut self, pending: Pending) -> Result<Vec<u32>> {
        match (&mut self.target, pending.0) {
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
