//! What the parts of a checkpoint say of each other must agree: a file in which they do not was changed after it was
//! saved.

use super::checkpoint_bytes::refuse;
use super::epoch_state::EpochState;
use super::{Config, metrics::Running};
use crate::Result;
use crate::graph::{Plan, Slots, State, TermSpec};
use crate::rng::key;

/// What the training plan keeps must be in the file, in the plan's shapes.
pub(super) fn check_slots(plan: &Plan, slots: &Slots) -> Result<()> {
    for (name, slot) in plan.stores.iter().flat_map(|store| store.slots()) {
        let found = slots.get(&name).map(|(shape, _)| shape);
        if found.as_ref() != Some(&slot.shape) {
            let found = found.map_or("nothing of that name".to_owned(), |shape| format!("{shape:?}"));
            return Err(refuse(format!("a tensor {name:?} of shape {:?}", slot.shape), found));
        }
    }
    Ok(())
}

/// The epochs, the steps and the place in the data follow from each other: in the header's numbers and the state's.
pub(super) fn check_position(
    config: &Config,
    images: u32,
    state: &State,
    progress: &EpochState,
) -> Result<()> {
    let EpochState { epoch, step, .. } = *progress;
    // Beyond the last image there is no next batch to find.
    if state.cursor >= images {
        return Err(refuse(format!("a cursor below the {images} images"), state.cursor));
    }
    if epoch > config.train.epochs {
        return Err(refuse(
            format!("at most the {} epochs of its configuration", config.train.epochs),
            epoch,
        ));
    }
    let [begin, end] = [epoch, epoch.saturating_add(1)].map(|epochs| config.train.steps(epochs, images));
    if !(begin..=end).contains(&step) {
        return Err(refuse(format!("between {begin} and {end} steps after {epoch} epochs"), step));
    }
    // The state counts in 32 bits, which may wrap.
    let seen = u128::from(step) * u128::from(config.train.batch);
    let (passes, cursor) = (seen / u128::from(images), (seen % u128::from(images)) as u32);
    let expected = State { seed: key(config.train.seed), step: step as u32, epoch: passes as u32, cursor };
    if *state != expected {
        let expected = format!("a state of step {step} of the seed {}, {expected:?}", config.train.seed);
        return Err(refuse(expected, format!("{state:?}")));
    }
    Ok(())
}

/// The sums of the epoch under way are of the model's terms, finite, and of as many steps as were done in it.
pub(super) fn check_sums(
    config: &Config,
    images: u32,
    progress: &EpochState,
    terms: &[TermSpec],
) -> Result<()> {
    let kept: Vec<&str> = progress.running.iter().map(|running| running.term.as_str()).collect();
    let names: Vec<&str> = terms.iter().map(|term| term.name.as_str()).collect();
    if kept != names {
        return Err(refuse(format!("sums of the terms {}", names.join(", ")), kept.join(", ")));
    }
    let begin = config.train.steps(progress.epoch, images);
    for (Running { term, steps, sum_bits }, spec) in progress.running.iter().zip(terms) {
        let every = u64::from(spec.every.max(1));
        let left_out = progress.rewinds.iter().filter_map(|rewind| rewind.left_out);
        let left_out =
            left_out.filter(|step| *step > begin && *step <= progress.step && step.is_multiple_of(every));
        let expected = (progress.step / every).saturating_sub(begin / every + left_out.count() as u64);
        if *steps != expected {
            return Err(refuse(format!("a sum of the term {term} over {expected} steps"), steps));
        }
        if !sum_bits.0.is_finite() {
            return Err(refuse(format!("a finite sum of the term {term}"), sum_bits.0));
        }
    }
    match progress.best_bits {
        Some(best) if !best.0.is_finite() => Err(refuse("a finite objective of the best epoch", best.0)),
        _ => Ok(()),
    }
}
