//! The last kernel of a step, which advances the state and the rates (`shaders/step.wgsl`).

use narrows_shaders::step as shaders;

use super::{Kernel, Operand, Program, State, floats_mut, within};
use crate::gpu::Variants;
use crate::reference::batch::ahead;
pub use crate::reference::step::{Falling, RateSchedule, Scheduled, Warmup};
use crate::{Error, Result};

/// Moves what follows the number of the step on to the next one, and then, where it `counts`, cursor, pass and step.
#[derive(Clone, Debug, PartialEq)]
pub struct Advance {
    /// Images a step, at most `count`.
    pub batch: u32,
    /// Images in the data set, at least one.
    pub count: u32,
    /// Whether it is the step's last.
    pub counts: bool,
    /// Words of the rates; none where nothing follows the number of the step.
    pub rates: u32,
    /// What does, at most [`Advance::MOST`].
    pub scheduled: Vec<Scheduled>,
}

impl Advance {
    /// The most that one dispatch describes.
    pub const MOST: usize = shaders::MOST_SCHEDULED;
}

fn words(of: Scheduled) -> [u32; 8] {
    match of {
        Scheduled::Share { at, warmup: Warmup { steps, cycles, rise } } => {
            [3, at, 1, steps, rise.to_bits(), 0, 0, cycles]
        }
        Scheduled::Rate { at, every, betas, schedule } => {
            let (kind, rate, steps) = match schedule {
                RateSchedule::Constant => (0, 0.0_f32, 1),
                RateSchedule::Linear(Falling { rate, steps }) => (1, rate, steps),
                RateSchedule::Cosine(Falling { rate, steps }) => (2, rate, steps),
            };
            let [first, second] = betas.map(|beta| ((1.0 - beta) as f32).to_bits());
            [kind, at, every, steps, rate.to_bits(), first, second, 0]
        }
    }
}

fn check(of: Scheduled) -> Result<()> {
    match of {
        Scheduled::Rate { every, schedule, .. } => {
            within("period of an update in steps", every, 1..=u32::MAX)?;
            match schedule {
                RateSchedule::Constant => Ok(()),
                RateSchedule::Linear(falling) | RateSchedule::Cosine(falling) => {
                    within("steps of a schedule", falling.steps, 1..=u32::MAX)
                }
            }
        }
        Scheduled::Share { warmup: Warmup { steps, cycles, rise }, .. } => {
            // The device counts their product in 32 bits.
            within("cycles of a warm-up", cycles, 1..=u32::MAX / steps.max(1))?;
            if rise > 0.0 && rise <= 1.0 {
                return Ok(());
            }
            Err(Error::setting("rise of a warm-up", "above 0 and at most 1", rise))
        }
    }
}

impl Kernel for Advance {
    fn name(&self) -> &'static str {
        if self.rates > 0 { "step advance" } else { "step count" }
    }

    fn program(&self, _: &Variants) -> Program {
        let entry = if self.rates > 0 { "advance" } else { "count" };
        let constants = vec![("COUNTS", f64::from(u8::from(self.counts)))];
        Program { shader: &shaders::SHADER, entry, constants, workgroups: 1 }
    }

    fn params(&self) -> Vec<u8> {
        let head = [self.batch, self.count, self.scheduled.len() as u32, 0];
        let mut all: Vec<u32> = head.into_iter().chain(self.scheduled.iter().flat_map(|of| words(*of))).collect();
        all.resize(4 + 8 * Self::MOST, 0);
        bytemuck::cast_slice(&all).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        let mut operands = vec![Operand::write("state", State::WORDS)];
        if self.rates > 0 {
            operands.push(Operand::write("rates", self.rates as usize));
        }
        operands
    }

    fn check(&self) -> Result<()> {
        within("images", self.count, 1..=u32::MAX)?;
        within("batch", self.batch, 1..=self.count)?;
        within("rates of a dispatch", self.scheduled.len() as u32, 0..=Self::MOST as u32)?;
        for of in &self.scheduled {
            let [at, words] = of.words();
            within("end of a rate", at.saturating_add(words), 1..=self.rates)?;
            check(*of)?;
        }
        Ok(())
    }

    fn flops(&self) -> u64 {
        20 * self.scheduled.len() as u64
    }

    fn shape(&self) -> String {
        format!("[{}] of {}", self.batch, self.count)
    }

    fn reference(&self, _: &[&[u32]], writes: &mut [&mut [u32]]) {
        let mut state = State::from_words(writes[0]);
        let step = state.step.wrapping_add(1);
        if let Some(rates) = writes.get_mut(1) {
            self.scheduled.iter().for_each(|of| of.advance(floats_mut(rates), step));
        }
        if self.counts {
            let (cursor, passes) = ahead(state.cursor, self.batch, self.count);
            state = State { cursor, step, epoch: state.epoch.wrapping_add(passes), ..state };
        }
        writes[0].copy_from_slice(state.words());
    }
}
