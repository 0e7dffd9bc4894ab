//! The last kernel of a step, which advances the state (`shaders/step.wgsl`).

use narrows_shaders::step as shaders;

use super::{Kernel, Operand, Program, State, within};
use crate::gpu::Variants;
use crate::reference::batch::ahead;
use crate::reference::step::next_correction;
pub use crate::reference::step::{Falling, RateSchedule, Schedule, Warmup};
use crate::{Error, Result};

/// Moves the state on to the next step: cursor, pass, step number, Adam's corrections, and what the schedule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Advance {
    /// Images a step, at most `count`.
    pub batch: u32,
    /// Images in the data set, at least one.
    pub count: u32,
    /// How much of Adam's two moments remains; zeros for an optimizer that has none.
    pub betas: [f64; 2],
    /// The learning rate, which a constant schedule leaves as it is, and the share of the KL's weight.
    pub schedule: Schedule,
}

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    batch: u32,
    count: u32,
    complement1: f32,
    complement2: f32,
    rate: f32,
    steps: u32,
    warmup: u32,
    cycles: u32,
    rise: f32,
}

impl Kernel for Advance {
    fn title(&self) -> &'static str {
        "step advance"
    }

    fn program(&self, _: &Variants) -> Program {
        let schedule = match self.schedule.rate {
            RateSchedule::Constant => 0.0,
            RateSchedule::Linear(_) => 1.0,
            RateSchedule::Cosine(_) => 2.0,
        };
        let constants = vec![("SCHEDULE", schedule)];
        Program { shader: &shaders::SHADER, entry: "advance", constants, workgroups: 1 }
    }

    fn params(&self) -> Vec<u8> {
        let Self { batch, count, betas, schedule } = *self;
        let [complement1, complement2] = betas.map(|beta| (1.0 - beta) as f32);
        let (rate, steps) = match schedule.rate {
            RateSchedule::Constant => (0.0, 1),
            RateSchedule::Linear(Falling { rate, steps }) | RateSchedule::Cosine(Falling { rate, steps }) => {
                (rate, steps)
            }
        };
        let Warmup { steps: warmup, cycles, rise } = schedule.warmup;
        let params = Params { batch, count, complement1, complement2, rate, steps, warmup, cycles, rise };
        bytemuck::bytes_of(&params).to_vec()
    }

    fn operands(&self) -> Vec<Operand> {
        vec![Operand::write("state", State::WORDS)]
    }

    fn check(&self) -> Result<()> {
        within("images", self.count, 1..=u32::MAX)?;
        within("batch", self.batch, 1..=self.count)?;
        if let RateSchedule::Linear(falling) | RateSchedule::Cosine(falling) = self.schedule.rate {
            within("steps of a schedule", falling.steps, 1..=u32::MAX)?;
        }
        let Warmup { steps, cycles, rise } = self.schedule.warmup;
        // The device counts their product in 32 bits.
        within("cycles of a warm-up", cycles, 1..=u32::MAX / steps.max(1))?;
        if rise > 0.0 && rise <= 1.0 {
            return Ok(());
        }
        Err(Error::setting("rise of a warm-up", "above 0 and at most 1", rise))
    }

    fn flops(&self) -> u64 {
        20
    }

    fn shape(&self) -> String {
        format!("[{}] of {}", self.batch, self.count)
    }

    fn reference(&self, _: &[&[u32]], writes: &mut [&mut [u32]]) {
        let mut state = State::from_words(writes[0]);
        let (cursor, passes) = ahead(state.cursor, self.batch, self.count);
        state.cursor = cursor;
        state.epoch = state.epoch.wrapping_add(passes);
        state.step = state.step.wrapping_add(1);
        let next = |correction, beta| next_correction(f64::from(correction), beta) as f32;
        state.correction1 = next(state.correction1, self.betas[0]);
        state.correction2 = next(state.correction2, self.betas[1]);
        if let Some(rate) = self.schedule.rate.rate(state.step) {
            state.learning_rate = rate as f32;
        }
        state.kl_share = self.schedule.warmup.share(state.step) as f32;
        writes[0].copy_from_slice(state.words());
    }
}
