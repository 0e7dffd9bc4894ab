//! The last kernel of a step, which advances the state (`shaders/step.wgsl`).

use narrows_shaders::step as shaders;

use super::{Call, Kernel, State};
use crate::gpu::Variants;
use crate::reference::batch::ahead;
use crate::reference::step::next_correction;
pub use crate::reference::step::{Falling, RateSchedule, Schedule, Warmup};

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

impl Kernel for Advance {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, count, betas, schedule } = *self;
        let (kind, Falling { rate, steps }) = match schedule.rate {
            RateSchedule::Constant => (0, Falling { rate: 0.0, steps: 1 }),
            RateSchedule::Linear(falling) => (1, falling),
            RateSchedule::Cosine(falling) => (2, falling),
        };
        let [complement1, complement2] = betas.map(|beta| (1.0 - beta) as f32);
        let Warmup { steps: warmup, cycles, rise } = schedule.warmup;
        let good = rise > 0.0 && rise <= 1.0;
        Call::new(&shaders::SHADER, "advance")
            .operands([State::WORDS])
            .uniform([("batch", batch), ("count", count)])
            .uniform([("complement1", complement1), ("complement2", complement2), ("rate", rate)])
            .uniform([("steps", steps), ("warmup", warmup), ("cycles", cycles)])
            .uniform([("rise", rise)])
            .constant("SCHEDULE", kind)
            .limit("images", count, 1..=u32::MAX)
            .limit("batch", batch, 1..=count)
            .limit("steps of a schedule", steps, 1..=u32::MAX)
            // The device counts their product in 32 bits.
            .limit("cycles of a warm-up", cycles, 1..=u32::MAX / warmup.max(1))
            .setting("rise of a warm-up", good, "above 0 and at most 1", rise)
            .flops(20, 1)
            .shape(format!("[{batch}] of {count}"))
            .workgroups(|| 1)
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
