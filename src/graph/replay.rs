//! Running a plan, on a device or on the CPU, behind one interface.

use std::ops::Range;
use std::sync::Arc;

use super::cpu::CpuReplay;
use super::gpu::{GpuPending, GpuReplay};
use super::placement::Order;
use super::update::{ADVANCE, RATES};
use super::{Device, Phase, Plan, RowSource, Slice, Store, StoreKind};
use crate::kernels::{floats, state::State};
use crate::{Error, Result};
use rayon::prelude::*;

/// A plan ready to run. Owns its buffers; lives as long as training, or one evaluation.
///
/// # Errors
/// Methods fail with [`Error::Setting`] for an unknown name, and more steps than the ring holds; with [`Error::Shape`]
/// for another length or device; with [`Error::DeviceLost`] or [`Error::Device`] where the device fails.
#[derive(Debug)]
pub struct Replay {
    plan: Arc<Plan>,
    target: Target,
    // Where the device will stand after what was submitted. The steps decide which dispatches run next.
    state: State,
    streamed: Option<Streamed>,
}

// What a plan that streams reads, and in which order.
#[derive(Debug)]
struct Streamed {
    order: Order,
    source: Option<Box<dyn RowSource>>,
}

#[derive(Debug)]
enum Target {
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
        let streamed = Order::of(&plan).map(|order| Streamed { order, source: None });
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

    /// Has a plan that streams take its images from `source`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a plan that does not.
    pub fn stream(&mut self, source: Box<dyn RowSource>) -> Result<()> {
        let Some(streamed) = &mut self.streamed else {
            return Err(Error::shape("stream", "a plan that streams its images", "one that has them all"));
        };
        streamed.source = Some(source);
        Ok(())
    }

    /// The most steps of a submit: [`Plan::ring_steps`], or fewer where images stream.
    pub fn most_steps(&self) -> u32 {
        self.streamed.as_ref().map_or(Plan::ring_steps(), |streamed| streamed.order.ring.steps)
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

    /// Takes the images of the next steps to their places in the ring, where they stream, and counts the steps.
    pub(super) fn bring(&mut self, steps: u32) -> Result<()> {
        let Some(Streamed { order, source }) = &self.streamed else {
            self.state.step = self.state.step.wrapping_add(steps);
            return Ok(());
        };
        let Some(source) = source else {
            let got = "a plan that streams its images, without a source of them";
            return Err(Error::shape("submit", "a source by Replay::stream", got));
        };
        let (whole, words) = (self.plan.slice("images")?, order.ring.words as usize);
        let first = self.state.step % order.ring.steps;
        let mut state = self.state;
        let batches: Vec<Vec<u32>> = (0..steps).map(|_| order.batch(&mut state)).collect();
        let fill = |target: &mut [u32], batches: &[Vec<u32>]| {
            let parts = target.par_chunks_exact_mut(words).zip(batches);
            parts.try_for_each(|(part, images)| source.read(images, part))
        };
        // Up to the ring's end, and on from its beginning.
        let before = steps.min(order.ring.steps - first);
        let slice = |first: u32, steps: u32| Slice {
            offset: first as usize * words,
            words: steps as usize * words,
            ..whole
        };
        let slices = [slice(first, before), slice(0, steps - before)];
        let slices = &slices[..if steps > before { 2 } else { 1 }];
        match &mut self.target {
            Target::Gpu(gpu) => gpu.bring(slices, |target| fill(target, &batches))?,
            Target::Cpu(cpu) => {
                let (head, tail) = batches.split_at(before as usize);
                for (slice, batches) in slices.iter().zip([head, tail]) {
                    fill(cpu.words_mut(*slice), batches)?;
                }
            }
        }
        self.state = state;
        Ok(())
    }

    /// Runs a range of dispatches, `rounds` times, whatever their periods.
    pub(super) fn submit_range(&mut self, rounds: u32, dispatches: Range<usize>, report: Slice) -> Pending {
        self.submit_dispatches((0..rounds).flat_map(|_| dispatches.clone()), report)
    }

    fn submit_dispatches(&mut self, dispatches: impl Iterator<Item = usize>, report: Slice) -> Pending {
        Pending(match &mut self.target {
            Target::Gpu(gpu) => Arriving::Gpu(gpu.submit(dispatches, report)),
            Target::Cpu(cpu) => {
                dispatches.for_each(|at| cpu.run(&self.plan.dispatches[at]));
                Arriving::Cpu(cpu.read(report))
            }
        })
    }

    /// Counts `steps` steps without doing anything else of them: their images train nothing. Learning rates and shares
    /// follow the number of the step, and Adam's corrections go on as if their update had run.
    pub async fn pass_over(&mut self, steps: u32) -> Result<()> {
        let (plan, state) = (Arc::clone(&self.plan), self.plan.slice("state")?);
        let counts = |at: &usize| {
            let dispatch = &plan.dispatches[*at];
            dispatch.phase == Phase::Update && dispatch.label == ADVANCE
        };
        let counting: Vec<usize> = (0..plan.dispatches.len()).filter(counts).collect();
        let mut left = steps;
        while left > 0 {
            let now = left.min(Plan::ring_steps());
            let all = (0..now).flat_map(|_| counting.iter().copied());
            let pending = self.submit_dispatches(all, state);
            self.wait(pending).await?;
            left -= now;
        }
        match &self.streamed {
            None => self.state.step = self.state.step.wrapping_add(steps),
            Some(streamed) => (0..steps).for_each(|_| streamed.order.advance(&mut self.state)),
        }
        Ok(())
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
