//! Finding the dispatch whose results on a device differ from the reference's.

use std::fmt;
use std::ops::Range;

use narrows_shaders::Access;

use super::plan::{Content, Phase};
use super::{Device, Dispatch, Plan, Replay, Slice};
use crate::Result;
use crate::kernels::floats;
use crate::reference::compare::{Tolerance, compare_each, compare_words};

// Devices may take numbers below this for zero.
const DENORMAL: f32 = 2e-38;
// Small against all numbers, large against their rounding.
const SHAKE: f32 = 1.0 / 4096.0;

/// The first dispatch that differs, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its number in the plan.
    pub dispatch: usize,
    /// Its label.
    pub label: String,
    /// The buffer that differs after it.
    pub buffer: String,
    /// How many numbers differ, and the first of them on either device.
    pub mismatch: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dispatch, label, buffer, mismatch } = self;
        write!(f, "dispatch {dispatch} ({label}) is the first to differ, in buffer {buffer:?}: {mismatch}")
    }
}

/// Replays one step of `plan` on `device` and on `other`, dispatch by dispatch, and stops at the first whose results
/// differ by more than `tolerance`. None where all agree.
///
/// Each dispatch starts on both from the device's results so far, so the one that is named is at fault itself: neither
/// rounding nor mistakes of earlier ones add up. Dispatches that run one by one cannot race, so `device` then runs
/// the step at once, as training does, and must give the same bits again.
///
/// The tolerance's absolute part is a share: of the largest number of the array that is compared or, where its sums
/// cancel, of what is summed. To find out, the reference repeats the dispatch with slightly smaller inputs. An update's
/// dispatches work element by element, so each element's own answer counts there: Adam's first step divides a gradient
/// by its own size, and only where it nearly cancels with the weight decay can rounding change much.
///
/// `setup` writes the same data, parameters and state into either. Give a plan that was finished with `keep_all`:
/// where results share memory, a buffer's label and [`Content`] are those of one of them.
///
/// # Errors
/// What running the plan can fail with.
pub async fn first_difference(
    plan: &Plan,
    device: &Device,
    other: &Device,
    tolerance: Tolerance,
    setup: impl Fn(&mut Replay) -> Result<()>,
) -> Result<Option<Difference>> {
    let start = async |device: &Device| -> Result<Replay> {
        let mut replay = Replay::new(device, plan.clone()).await?;
        setup(&mut replay)?;
        replay.bring(1)?;
        Ok(replay)
    };
    let mut single = start(device).await?;
    let mut reference = start(other).await?;
    let count = plan.dispatches.len();
    for (at, dispatch) in plan.dispatches.iter().enumerate() {
        // What a small change does to an update is no share of what a large one does: shake it as much as is tolerated.
        let each = dispatch.phase == Phase::Update;
        let (shake, share) =
            if each { (tolerance.absolute, 1.0) } else { (SHAKE, tolerance.absolute / SHAKE) };
        let shaken = shaken(&mut reference, at, shake).await?;
        run(&mut single, at..at + 1).await?;
        run(&mut reference, at..at + 1).await?;
        let within = |array: usize, expected: &[f32], content: Content| {
            if content == Content::Scalars {
                return vec![Tolerance { absolute: DENORMAL, ..tolerance }; expected.len()];
            }
            let shaken = shaken.iter().map(|arrays| floats(&arrays[array]));
            allowed(tolerance, expected, shaken, share, each)
        };
        let found = differing(at, &single, &mut reference, within).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let mut whole = start(device).await?;
    run(&mut whole, 0..count).await?;
    for at in 0..count {
        let exact = |_: usize, expected: &[f32], _: Content| vec![Tolerance::EXACT; expected.len()];
        if let Some(found) = differing(at, &whole, &mut reference, exact).await? {
            let mismatch =
                format!("in a step run at once, against one run by dispatches: {}", found.mismatch);
            return Ok(Some(Difference { mismatch, ..found }));
        }
    }
    Ok(None)
}

async fn run(replay: &mut Replay, dispatches: Range<usize>) -> Result<()> {
    let report = replay.plan().slice("state")?;
    let pending = replay.submit_range(1, dispatches, report);
    replay.wait(pending).await.map(drop)
}

// The arrays that a dispatch writes.
fn written(dispatch: &Dispatch) -> Vec<Slice> {
    let operands = dispatch.kernel.operands().into_iter().zip(&dispatch.operands);
    operands.filter(|(operand, _)| operand.access == Access::ReadWrite).map(|(_, slice)| *slice).collect()
}

async fn read_all(replay: &Replay, slices: &[Slice]) -> Result<Vec<Vec<u32>>> {
    let mut all = Vec::with_capacity(slices.len());
    for slice in slices {
        all.push(replay.read_slice(*slice).await?);
    }
    Ok(all)
}

// What dispatch `at` would write if the floats that it reads were smaller by up to a share `most` of themselves: all its
// operands at once or, in an update, where two that cancel would hide each other, one by one. Leaves all as it was.
async fn shaken(reference: &mut Replay, at: usize, most: f32) -> Result<Vec<Vec<Vec<u32>>>> {
    let dispatch = reference.plan().dispatches[at].clone();
    let written = written(&dispatch);
    let is_float = |slice: &Slice| reference.plan().buffer(*slice).content != Content::Integers;
    let floats: Vec<Slice> = dispatch.operands.iter().copied().filter(is_float).collect();
    let before = read_all(reference, &written).await?;
    let exact = read_all(reference, &floats).await?;
    let together = if dispatch.phase == Phase::Update { 1 } else { floats.len().max(1) };
    let mut all = Vec::new();
    for first in (0..floats.len()).step_by(together) {
        for operand in first..first + together {
            reference.write_slice(floats[operand], &shake(&exact[operand], operand as u32, most));
        }
        run(reference, at..at + 1).await?;
        all.push(read_all(reference, &written).await?);
        for (slice, words) in floats.iter().zip(&exact).chain(written.iter().zip(&before)) {
            reference.write_slice(*slice, words);
        }
    }
    Ok(all)
}

// Towards zero, so that a share stays one; each number of each operand by a share of its own, none of them tiny.
fn shake(words: &[u32], operand: u32, most: f32) -> Vec<u32> {
    let random = |index: u32| {
        let mixed = (index ^ operand.wrapping_mul(0x85EB_CA6B)).wrapping_mul(0x9E37_79B9);
        (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D) as f32 / u32::MAX as f32
    };
    let shares = (1..).map(|index| most * (0.25 + 0.75 * random(index)));
    floats(words).iter().zip(shares).map(|(value, share)| (value * (1.0 - share)).to_bits()).collect()
}

// Rounding goes with the terms of a sum and not with the sum: it may change a share of what the shakes did, of all
// elements the most or of `each` its own.
fn allowed<'a>(
    tolerance: Tolerance,
    expected: &[f32],
    shaken: impl Iterator<Item = &'a [f32]>,
    share: f32,
    each: bool,
) -> Vec<Tolerance> {
    let mut changes = vec![0.0; expected.len()];
    for array in shaken {
        for ((change, shaken), expected) in changes.iter_mut().zip(array).zip(expected) {
            *change += (shaken - expected).abs();
        }
    }
    let largest = |values: &[f32]| {
        let finite = values.iter().filter(|value| value.is_finite());
        finite.fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    let (scale, most) = (tolerance.absolute * largest(expected), share * largest(&changes));
    let absolute = |own: f32| if each { scale + share * own } else { scale.max(most) };
    changes.iter().map(|own| Tolerance { absolute: absolute(*own).max(DENORMAL), ..tolerance }).collect()
}

// Where the results of dispatch `at` differ by more than is allowed. `within` gives what is allowed to each number of an
// array, given the array that is expected. Without a difference `reference` continues with the words of `device`.
async fn differing(
    at: usize,
    device: &Replay,
    reference: &mut Replay,
    within: impl Fn(usize, &[f32], Content) -> Vec<Tolerance>,
) -> Result<Option<Difference>> {
    let plan = device.plan();
    let dispatch = &plan.dispatches[at];
    for (array, slice) in written(dispatch).into_iter().enumerate() {
        let (got, words) = (device.read_slice(slice).await?, reference.read_slice(slice).await?);
        let spec = plan.buffer(slice);
        let expected = floats(&words);
        let outcome = match spec.content {
            Content::Integers => compare_words(&got, &words).map_err(|mismatch| mismatch.to_string()),
            content => {
                let allowed = within(array, expected, content);
                compare_each(floats(&got), expected, |index| allowed[index])
                    .map_err(|mismatch| mismatch.to_string())
            }
        };
        if let Err(mismatch) = outcome {
            let (label, buffer) = (dispatch.label.clone(), spec.label.clone());
            return Ok(Some(Difference { dispatch: at, label, buffer, mismatch }));
        }
        reference.write_slice(slice, &got);
    }
    Ok(None)
}
