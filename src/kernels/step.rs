//! The last kernel of a step, which advances the state and the rates (`shaders/step.wgsl`).

use narrows_shaders::step as shaders;

use super::{Call, Kernel, State, Word, floats_mut};
use crate::gpu::Variants;
use crate::reference::batch::ahead;
pub use crate::reference::step::{Fall, RateSchedule, Scheduled, Warmup};

/// Updates the numbers that depend on the step for the next one. Where it `counts`, cursor, pass and step advance too.
#[derive(Clone, Debug, PartialEq)]
pub struct Advance {
    /// Images per step, at most `count`.
    pub batch: u32,
    /// Images in the data set, at least one.
    pub count: u32,
    /// Whether it is the step's last.
    pub counts: bool,
    /// Words of the rates; 0 where no number depends on the step.
    pub rates: u32,
    /// The numbers that depend on the step, at most [`Advance::MOST`].
    pub scheduled: Vec<Scheduled>,
}

impl Advance {
    /// The most that one dispatch describes.
    pub const MOST: usize = shaders::MOST_SCHEDULED;
}

// The fields of the shader's `Scheduled`.
fn fields(of: Option<&Scheduled>) -> [(&'static str, Word); 8] {
    let ([kind, at, every, steps, cycles], [rate, complement1, complement2]) = match of {
        None => ([0; 5], [0.0; 3]),
        Some(Scheduled::Share { at, warmup: Warmup { steps, cycles, rise } }) => {
            ([3, *at, 1, *steps, *cycles], [*rise, 0.0, 0.0])
        }
        Some(Scheduled::Rate { at, every, betas, rate, schedule: RateSchedule { warmup, fall } }) => {
            let (kind, steps) = match *fall {
                Fall::Constant => (0, 1),
                Fall::Linear(steps) => (1, steps),
                Fall::Cosine(steps) => (2, steps),
            };
            let [first, second] = betas.map(|beta| (1.0 - beta) as f32);
            ([kind, *at, *every, steps, *warmup], [*rate, first, second])
        }
    };
    [
        ("kind", kind.into()),
        ("at", at.into()),
        ("every", every.into()),
        ("steps", steps.into()),
        ("rate", rate.into()),
        ("complement1", complement1.into()),
        ("complement2", complement2.into()),
        ("cycles", cycles.into()),
    ]
}

fn limited(call: Call, of: Scheduled, rates: u32) -> Call {
    let [at, words] = of.words();
    let call = call.limit("end of a rate", at.saturating_add(words), 1..=rates);
    match of {
        Scheduled::Rate { every, schedule, .. } => {
            let call = call.limit("period of an update in steps", every, 1..=u32::MAX);
            let (Fall::Linear(steps) | Fall::Cosine(steps)) = schedule.fall else { return call };
            call.limit("steps of a schedule", steps, 1..=u32::MAX)
        }
        Scheduled::Share { warmup: Warmup { steps, cycles, rise }, .. } => {
            let right = rise > 0.0 && rise <= 1.0;
            // The device counts their product in 32 bits.
            call.limit("cycles of a warm-up", cycles, 1..=u32::MAX / steps.max(1)).setting(
                "rise of a warm-up",
                right,
                "above 0 and at most 1",
                rise,
            )
        }
    }
}

impl Kernel for Advance {
    fn call(&self, _: &Variants) -> Call {
        let Self { batch, count, counts, rates, ref scheduled } = *self;
        let call = match rates {
            0 => Call::new(&shaders::SHADER, "count").operands([State::WORDS]),
            _ => Call::new(&shaders::SHADER, "advance").operands([State::WORDS, rates as usize]),
        };
        let call = call
            .uniform([("batch", batch), ("count", count)])
            .uniform([("entries", scheduled.len() as u32), ("padding", 0)])
            .uniform((0..Self::MOST).flat_map(|at| fields(scheduled.get(at))))
            .constant("COUNTS", counts)
            .limit("images", count, 1..=u32::MAX)
            .limit("batch", batch, 1..=count)
            .limit("rates of a dispatch", scheduled.len() as u32, 0..=Self::MOST as u32)
            .flops(20, scheduled.len())
            .shape(format!("[{batch}] of {count}"))
            .workgroups(|| 1);
        scheduled.iter().fold(call, |call, of| limited(call, *of, rates))
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
