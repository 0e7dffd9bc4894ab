//! The last kernel of a step, which keeps its losses and advances the state and the rates (`shaders/step.wgsl`).

use narrows_shaders::{MAX_ROUNDS, step as shaders};

use super::record::MeansToRing;
use super::{Call, Kernel, State, Word, floats_mut};
use crate::gpu::Variants;
use crate::reference::batch::ahead;
pub use crate::reference::step::{Fall, RateSchedule, Scheduled, Warmup};

/// Updates the numbers that depend on the step for the next one. Where it `counts`, cursor, pass and step advance too. First
/// it keeps the means of the step's terms, where it is given any.
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
    /// The means to keep, with the values of their terms as [`MeansToRing::bound`] has them. None where there are none.
    pub keeps: Option<MeansToRing>,
}

impl Advance {
    /// The most that one dispatch describes.
    pub const MOST: usize = shaders::MOST_SCHEDULED;
    /// The most values that the terms to keep have together: 256 lanes share them, beside some rounds for each term.
    pub const MAX_VALUES: u64 = 256 * (MAX_ROUNDS as u64 - 128);
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
        let Self { batch, count, counts, rates, ref scheduled, ref keeps } = *self;
        let entry = match (keeps, rates) {
            (None, 0) => "count",
            (None, _) => "advance",
            (Some(_), 0) => "keep_and_count",
            (Some(_), _) => "keep_and_advance",
        };
        let call = Call::new(&shaders::SHADER, entry);
        let call = keeps.iter().fold(call, |call, keeps| keeps.bind(call));
        let (capacity, slot) = keeps.as_ref().map_or((0, 0), |keeps| (keeps.capacity, keeps.slot));
        let terms = keeps.as_ref().map_or(0, |keeps| keeps.means.len() as u32);
        let call = call
            .operands([State::WORDS])
            .operands((rates > 0).then_some(rates as usize))
            .uniform([("batch", batch), ("count", count)])
            .uniform([("entries", scheduled.len() as u32), ("terms", terms)])
            .uniform([("capacity", capacity), ("slot", slot), ("padding0", 0), ("padding1", 0)])
            .uniform((0..Self::MOST).flat_map(|at| fields(scheduled.get(at))))
            .uniform(MeansToRing::fields(keeps.as_ref()))
            .constant("COUNTS", counts)
            .limit("images", count, 1..=u32::MAX)
            .limit("batch", batch, 1..=count)
            .limit("rates of a dispatch", scheduled.len() as u32, 0..=Self::MOST as u32)
            .flops(20, scheduled.len())
            .shape(format!("[{batch}] of {count}"))
            .workgroups(|| 1);
        let call = keeps.iter().fold(call, |call, keeps| {
            let all = keeps.means.iter().map(|mean| u64::from(mean.count)).sum::<u64>();
            keeps.limit(call).limit("values of all terms of a step", all, 1..=Self::MAX_VALUES)
        });
        scheduled.iter().fold(call, |call, of| limited(call, *of, rates))
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        let (kept, writes) = writes.split_at_mut(self.keeps.iter().len());
        if let (Some(keeps), [ring]) = (&self.keeps, kept) {
            keeps.keep(State::from_words(writes[0]).step, reads, floats_mut(ring));
        }
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
