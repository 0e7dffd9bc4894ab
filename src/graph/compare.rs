//! Finding the dispatch that a device computes otherwise than the reference.

use std::fmt;
use std::ops::Range;

use narrows_shaders::Access;

use super::plan::Content;
use super::{Device, Plan, Replay};
use crate::Result;
use crate::kernels::floats;
use crate::reference::compare::{Tolerance, compare, compare_words};

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
        run(&mut single, at..at + 1).await?;
        run(&mut reference, at..at + 1).await?;
        let found = differing(at, &single, &mut reference, tolerance).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let mut whole = start(device).await?;
    run(&mut whole, 0..count).await?;
    for at in 0..count {
        if let Some(found) = differing(at, &whole, &mut reference, Tolerance::EXACT).await? {
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

// Whether what one dispatch writes differs; if not, `reference` goes on with the words of `device`.
async fn differing(
    at: usize,
    device: &Replay,
    reference: &mut Replay,
    tolerance: Tolerance,
) -> Result<Option<Difference>> {
    let plan = device.plan();
    let dispatch = &plan.dispatches[at];
    let operands = dispatch.kernel.operands();
    let written = operands.iter().zip(&dispatch.operands).filter(|(o, _)| o.access == Access::ReadWrite);
    for (_, slice) in written {
        let (got, expected) = (device.read_slice(*slice).await?, reference.read_slice(*slice).await?);
        let spec = &plan.buffers[slice.buffer.0];
        let mismatch = match spec.content {
            Content::Floats => difference(&got, &expected, tolerance),
            Content::Integers | Content::State => {
                compare_words(&got, &expected).err().map(|mismatch| mismatch.to_string())
            }
        };
        if let Some(mismatch) = mismatch {
            let (label, buffer) = (dispatch.label.clone(), spec.label.clone());
            return Ok(Some(Difference { dispatch: at, label, buffer, mismatch }));
        }
        reference.write_slice(*slice, &got);
    }
    Ok(None)
}

fn difference(got: &[u32], expected: &[u32], tolerance: Tolerance) -> Option<String> {
    compare(floats(got), floats(expected), tolerance).err().map(|mismatch| mismatch.to_string())
}
