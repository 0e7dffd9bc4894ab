//! Finding the first dispatch whose result on a device differs from the reference's.

use std::fmt;

use super::plan::{BufferId, Content};
use super::{Device, Plan, Replay, Slice};
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

/// Replays one step of `plan` on `device` and `other` and bisects for the first dispatch after which
/// their buffers differ by more than `tolerance`. None where the whole step agrees.
///
/// `setup` writes the same data, parameters and state into either. Give a plan that was finished with
/// `keep_all`: then a wrong result stays visible to the step's end, which is what bisection rests on.
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
    let probe = async |count: usize| -> Result<Option<(String, String)>> {
        let mut left = after(device, plan, count, &setup).await?;
        let mut right = after(other, plan, count, &setup).await?;
        differing_buffer(&mut left, &mut right, plan, tolerance).await
    };
    let Some(mut found) = probe(plan.dispatches.len()).await? else { return Ok(None) };
    // Agrees after the first `agreed` dispatches, differs after the first `differs`.
    let (mut agreed, mut differs) = (0, plan.dispatches.len());
    while differs - agreed > 1 {
        let middle = agreed + (differs - agreed) / 2;
        match probe(middle).await? {
            Some(difference) => (differs, found) = (middle, difference),
            None => agreed = middle,
        }
    }
    let dispatch = differs - 1;
    let (buffer, mismatch) = found;
    Ok(Some(Difference { dispatch, label: plan.dispatches[dispatch].label.clone(), buffer, mismatch }))
}

async fn after(
    device: &Device,
    plan: &Plan,
    count: usize,
    setup: &impl Fn(&mut Replay) -> Result<()>,
) -> Result<Replay> {
    let mut replay = Replay::new(device, plan.clone()).await?;
    setup(&mut replay)?;
    let report = plan.slice("state")?;
    let pending = replay.submit_range(1, 0..count, report);
    replay.wait(pending).await?;
    Ok(replay)
}

async fn differing_buffer(
    left: &mut Replay,
    right: &mut Replay,
    plan: &Plan,
    tolerance: Tolerance,
) -> Result<Option<(String, String)>> {
    for (id, spec) in plan.buffers.iter().enumerate() {
        let slice = Slice { buffer: BufferId(id), offset: 0, words: spec.words };
        let (got, expected) = (left.read_slice(slice).await?, right.read_slice(slice).await?);
        let difference = match spec.content {
            Content::Floats => difference(&got, &expected, tolerance),
            Content::Integers | Content::State => {
                compare_words(&got, &expected).err().map(|mismatch| mismatch.to_string())
            }
        };
        if let Some(difference) = difference {
            return Ok(Some((spec.label.clone(), difference)));
        }
    }
    Ok(None)
}

fn difference(got: &[u32], expected: &[u32], tolerance: Tolerance) -> Option<String> {
    compare(floats(got), floats(expected), tolerance).err().map(|mismatch| mismatch.to_string())
}
