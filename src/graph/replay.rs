//! Running a plan, on a device or on the CPU, behind one interface.

use std::ops::Range;
use std::sync::Arc;

use super::cpu::CpuReplay;
use super::gpu::{GpuPending, GpuReplay};
use super::streamed::Streamed;
use super::update::RATES;
use super::{Device, Plan, Slice, Store, StoreKind};
use crate::kernels::{floats, state::State};
use crate::{Error, Result};

/// A plan ready to run. Owns its buffers; lives as long as training, or one evaluation.
///
/// # Errors
/// Methods fail with [`Error::Setting`] for an unknown name, and more steps than the ring holds; with [`Error::Shape`]
/// for another length or device; with [`Error::DeviceLost`] or [`Error::Device`] where the device fails.
#[derive(Debug)]
pub struct Replay {
    pub(super) plan: Arc<Plan>,
    pub(super) target: Target,
    // Where the device will stand after what was submitted. The steps decide which dispatches run next.
    pub(super) state: State,
    pub(super) streamed: Option<Streamed>,
}

#[derive(Debug)]
pub(super) enum Target {
    Gpu(Box<GpuReplay>),
    Cpu(CpuReplay),
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
    /// Allocates the plan's buffers, zeroed, and compiles its shaders.
    ///
    /// # Errors
    /// [`Error::TooLarge`] where a buffer exceeds the device, [`Error::Device`] where the driver refuses, [`Error::Memory`]
    /// where the system lacks what the CPU needs.
    pub async fn new(device: &Device, plan: Plan) -> Result<Self> {
        let plan = Arc::new(plan);
        let target = match device {
            Device::Gpu(gpu) => Target::Gpu(Box::new(GpuReplay::new(Arc::clone(gpu), &plan).await?)),
            Device::Cpu => Target::Cpu(CpuReplay::new(&plan)?),
        };
        let streamed = Streamed::of(&plan);
        Ok(Self { plan, target, state: State::new(0), streamed })
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Writes the words of the named range.
    pub fn write(&mut self, name: &str, words: &[u32]) -> Result<()> {
        let slice = self.plan.slice(name)?;
        if words.len() != slice.words {
            let count = |n: usize| format!("{n} words");
            return Err(Error::shape(format!("write {name}"), count(slice.words), count(words.len())));
        }
        self.write_slice(slice, words);
        Ok(())
    }

    /// Writes words from word `offset` of the named range on, and has the device take them at once: for the parts of what is
    /// too large to be copied as a whole.
    pub fn write_part(&mut self, name: &str, offset: usize, words: &[u32]) -> Result<()> {
        let whole = self.plan.slice(name)?;
        if offset.saturating_add(words.len()) > whole.words {
            let got = format!("{} from {offset} on", words.len());
            return Err(Error::shape(format!("write {name}"), format!("{} words", whole.words), got));
        }
        self.write_slice(Slice { offset: whole.offset + offset, words: words.len(), ..whole }, words);
        match &self.target {
            Target::Gpu(gpu) => gpu.flush(),
            Target::Cpu(_) => Ok(()),
        }
    }

    pub(super) fn write_slice(&mut self, slice: Slice, words: &[u32]) {
        match &mut self.target {
            Target::Gpu(gpu) => gpu.write(slice, words),
            Target::Cpu(cpu) => cpu.write(slice, words),
        }
    }

    /// Writes the named range as floats.
    pub fn write_floats(&mut self, name: &str, values: &[f32]) -> Result<()> {
        self.write(name, bytemuck::cast_slice(values))
    }

    /// Writes the step's state.
    pub fn write_state(&mut self, state: &State) -> Result<()> {
        let slice = self.plan.slice("state")?;
        self.write_slice(slice, state.words());
        self.state = *state;
        Ok(())
    }

    /// Reads the step's state.
    pub async fn read_state(&self) -> Result<State> {
        Ok(State::from_words(&self.read("state").await?))
    }

    /// Reads the words of the named range, after all that was submitted.
    pub async fn read(&self, name: &str) -> Result<Vec<u32>> {
        self.read_slice(self.plan.slice(name)?).await
    }

    pub(super) async fn read_slice(&self, slice: Slice) -> Result<Vec<u32>> {
        match &self.target {
            Target::Gpu(gpu) => gpu.read(slice).await,
            Target::Cpu(cpu) => Ok(cpu.read(slice)),
        }
    }

    /// Reads the named range as floats.
    pub async fn read_floats(&self, name: &str) -> Result<Vec<f32>> {
        Ok(floats(&self.read(name).await?).to_vec())
    }

    /// Copies the named range from another replay on the same device, without passing the host where
    /// both are on a GPU.
    pub fn copy_from(&mut self, name: &str, other: &Self) -> Result<()> {
        self.copy_slice(name, other, other.plan().slice(name)?)
    }

    pub(super) fn copy_slice(&mut self, name: &str, other: &Self, from: Slice) -> Result<()> {
        let to = self.plan.slice(name)?;
        if to.words != from.words {
            return Err(Error::shape(format!("copy {name}"), to.words, from.words));
        }
        match (&mut self.target, &other.target) {
            (Target::Gpu(gpu), Target::Gpu(source)) if Arc::ptr_eq(&gpu.gpu, &source.gpu) => {
                gpu.copy_from(to, source, from);
            }
            (Target::Cpu(cpu), Target::Cpu(source)) => cpu.write(to, &source.read(from)),
            _ => {
                return Err(Error::shape(format!("copy {name}"), "two replays on one device", "two devices"));
            }
        }
        Ok(())
    }

    /// Runs `steps` steps in one submit, at most [`Replay::most_steps`], with a copy of the named range
    /// behind them. Returns at once on a GPU: await [`Replay::wait`] later. Images that stream are read before the submit,
    /// while the device works on the one before.
    pub fn submit(&mut self, steps: u32, report: &str) -> Result<Pending> {
        let most = self.most_steps();
        if steps > most {
            return Err(Error::setting("steps of a submit", format!("at most {most}"), steps));
        }
        let report = self.plan.slice(report)?;
        let (plan, done) = (Arc::clone(&self.plan), self.state.step);
        self.bring(steps)?;
        let steps = (0..steps).flat_map(|step| {
            let running = plan.dispatches.iter().enumerate();
            let running = running.filter(move |(_, dispatch)| dispatch.runs(done.wrapping_add(step)));
            running.map(|(at, _)| at)
        });
        Ok(self.submit_dispatches(steps, report))
    }

    /// Runs a range of dispatches, `rounds` times, whatever their periods.
    pub(super) fn submit_range(&mut self, rounds: u32, dispatches: Range<usize>, report: Slice) -> Pending {
        self.submit_dispatches((0..rounds).flat_map(|_| dispatches.clone()), report)
    }

    pub(super) fn submit_dispatches(
        &mut self,
        dispatches: impl Iterator<Item = usize>,
        report: Slice,
    ) -> Pending {
        Pending(match &mut self.target {
            Target::Gpu(gpu) => Arriving::Gpu(gpu.submit(dispatches, report)),
            Target::Cpu(cpu) => {
                dispatches.for_each(|at| cpu.run(&self.plan.dispatches[at]));
                Arriving::Cpu(cpu.read(report))
            }
        })
    }

    /// Multiplies the learning rates of all updates by `factor`, from the next step on.
    pub async fn scale_rates(&mut self, factor: f32) -> Result<()> {
        let plan = Arc::clone(&self.plan);
        for Store { name, layout, .. } in plan.stores.iter().filter(|store| store.kind == StoreKind::Rates) {
            let mut rates = self.read_floats(name).await?;
            for slot in layout.iter().filter(|slot| slot.name.ends_with(RATES)) {
                rates[slot.offset] *= factor;
                rates[slot.offset + 3] *= factor;
            }
            self.write_floats(name, &rates)?;
        }
        Ok(())
    }

    /// Waits for what a submit reports.
    pub async fn wait(&mut self, pending: Pending) -> Result<Vec<u32>> {
        match (&mut self.target, pending.0) {
            (Target::Gpu(gpu), Arriving::Gpu(pending)) => gpu.wait(pending).await,
            (_, Arriving::Cpu(words)) => Ok(words),
            (Target::Cpu(_), Arriving::Gpu(_)) => {
                Err(Error::shape("wait", "a submit of this replay", "one of another device"))
            }
        }
    }

    /// Runs `steps` steps and waits for them.
    pub async fn run(&mut self, steps: u32) -> Result<()> {
        let mut left = steps;
        while left > 0 {
            let now = left.min(self.most_steps());
            let pending = self.submit(now, "state")?;
            self.wait(pending).await?;
            left -= now;
        }
        Ok(())
    }
}
