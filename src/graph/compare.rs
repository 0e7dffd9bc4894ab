//! Finding the dispatch that a device computes otherwise than the reference.

use std::fmt;
use std::ops::Range;

use narrows_shaders::Access;

use super::plan::Content;
use super::{Device, Dispatch, Plan, Replay, Slice};
use crate::Result;
use crate::kernels::floats;
use crate::reference::compare::{Tolerance, compare, compare_words};

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

/// Replays one step of `plan` on `device` and on `other`, dispatch by dispatch, and stops at the first that writes what
/// differs by more than `tolerance`. None where all agree.
///
/// Each dispatch begins on both with what `device` has computed so far, so that what is named is at fault itself: no
/// rounding of those before it adds up, and none of their mistakes is passed on. Because dispatches that are run one by
/// one cannot race, `device` then runs the step at once, as training does, and must give the same bits again.
///
/// Numbers are compared whatever their scale: the tolerance's absolute part counts in the largest number of the array
/// that is compared or, where its sums cancel, in what a relative change of what is read changes of them.
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
        Ok(replay)
    };
    let mut single = start(device).await?;
    let mut reference = start(other).await?;
    let count = plan.dispatches.len();
    for at in 0..count {
        let shaken = shaken(&mut reference, at).await?;
        run(&mut single, at..at + 1).await?;
        run(&mut reference, at..at + 1).await?;
        let within = |operand: usize, expected: &[u32]| scaled(tolerance, expected, &shaken[operand]);
        let found = differing(at, &single, &mut reference, within).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let mut whole = start(device).await?;
    run(&mut whole, 0..count).await?;
    for at in 0..count {
        if let Some(found) = differing(at, &whole, &mut reference, |_, _| Tolerance::EXACT).await? {
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

// What dispatch `at` would write if each float that it reads were less by up to `SHAKE` of itself. Leaves all as it was.
async fn shaken(reference: &mut Replay, at: usize) -> Result<Vec<Vec<u32>>> {
    let dispatch = reference.plan().dispatches[at].clone();
    let written = written(&dispatch);
    let is_float = |slice: &Slice| reference.plan().buffer(*slice).content != Content::Integers;
    let floats: Vec<Slice> = dispatch.operands.iter().copied().filter(is_float).collect();
    let before = read_all(reference, &written).await?;
    let exact = read_all(reference, &floats).await?;
    for (slice, words) in floats.iter().zip(&exact) {
        reference.write_slice(*slice, &shake(words));
    }
    run(reference, at..at + 1).await?;
    let after = read_all(reference, &written).await?;
    for (slice, words) in floats.iter().zip(&exact).chain(written.iter().zip(&before)) {
        reference.write_slice(*slice, words);
    }
    Ok(after)
}

// Towards zero, so that a share stays one, and each number by a share of its own.
fn shake(words: &[u32]) -> Vec<u32> {
    let shares = (1_u32..).map(|i| i.wrapping_mul(0x9E37_79B9) as f32 / u32::MAX as f32);
    floats(words).iter().zip(shares).map(|(value, share)| (value * (1.0 - SHAKE * share)).to_bits()).collect()
}

// Rounding goes with the terms of a sum and not with the sum: what it may change is what as small a change of what is
// read changes.
fn scaled(tolerance: Tolerance, expected: &[u32], shaken: &[u32]) -> Tolerance {
    let largest = |values: &mut dyn Iterator<Item = f32>| {
        values.filter(|value| value.is_finite()).fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    let expected = floats(expected);
    let changes = &mut floats(shaken).iter().zip(expected).map(|(shaken, expected)| shaken - expected);
    let scale = largest(&mut expected.iter().copied()).max(largest(changes) / SHAKE);
    Tolerance { absolute: (tolerance.absolute * scale).max(DENORMAL), ..tolerance }
}

// Whether what dispatch `at` writes differs by more than `within` allows each of its arrays, given what is expected in
// it; if not, `reference` goes on with the words of `device`.
async fn differing(
    at: usize,
    device: &Replay,
    reference: &mut Replay,
    within: impl Fn(usize, &[u32]) -> Tolerance,
) -> Result<Option<Difference>> {
    let plan = device.plan();
    let dispatch = &plan.dispatches[at];
    for (operand, slice) in written(dispatch).into_iter().enumerate() {
        let (got, expected) = (device.read_slice(slice).await?, reference.read_slice(slice).await?);
        let spec = plan.buffer(slice);
        let mismatch = match spec.content {
            Content::Floats => difference(&got, &expected, within(operand, &expected)),
            Content::Scalars => {
                let relative = within(operand, &expected).relative;
                difference(&got, &expected, Tolerance::new(DENORMAL, relative))
            }
            Content::Integers => compare_words(&got, &expected).err().map(|mismatch| mismatch.to_string()),
        };
        if let Some(mismatch) = mismatch {
            let (label, buffer) = (dispatch.label.clone(), spec.label.clone());
            return Ok(Some(Difference { dispatch: at, label, buffer, mismatch }));
        }
        reference.write_slice(slice, &got);
    }
    Ok(None)
}

fn difference(got: &[u32], expected: &[u32], tolerance: Tolerance) -> Option<String> {
    compare(floats(got), floats(expected), tolerance).err().map(|mismatch| mismatch.to_string())
}
