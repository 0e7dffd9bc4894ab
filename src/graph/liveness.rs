//! When a buffer's content matters: which temporaries can share memory, and which dispatches a step needs where some
//! updates do not run in it.

use std::collections::{BTreeMap, BTreeSet};

use narrows_shaders::Access;

use super::Exchange;
use super::plan::{BufferId, BufferSpec, Dispatch, Phase, Slice};

/// Gives each forward dispatch the periods of those that read its results. If the host or the next step reads them, it
/// runs in each step.
pub(super) fn run_only_what_is_used(buffers: &[BufferSpec], dispatches: &mut [Dispatch]) {
    if dispatches.iter().all(|dispatch| dispatch.every == [1]) {
        return;
    }
    let mut wanted: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); buffers.len()];
    for dispatch in dispatches.iter_mut().rev() {
        let operands = dispatch.kernel.operands();
        let slices = || dispatch.operands.iter().zip(&operands);
        let written = || slices().filter(|(_, operand)| operand.access == Access::ReadWrite).map(|(s, _)| s);
        if dispatch.phase == Phase::Forward {
            let stays = written().any(|slice| buffers[slice.buffer.0].persistent);
            let periods: BTreeSet<u32> = written().flat_map(|slice| wanted[slice.buffer.0].clone()).collect();
            dispatch.every = match stays || periods.contains(&1) || periods.is_empty() {
                true => vec![1],
                false => periods.into_iter().collect(),
            };
        }
        for slice in &dispatch.operands {
            wanted[slice.buffer.0].extend(&dispatch.every);
        }
    }
}

/// Renumbers the buffers so that temporaries with disjoint lives become one.
///
/// Whole buffers are shared, never parts: a buffer bound to be read and written in one dispatch is
/// refused even on disjoint ranges.
pub(super) fn share_memory(
    buffers: &mut Vec<BufferSpec>,
    dispatches: &mut [Dispatch],
    named: &mut BTreeMap<String, Slice>,
) {
    let lives = lives(buffers.len(), dispatches);
    let mut order: Vec<usize> = (0..buffers.len()).collect();
    order.sort_by_key(|id| lives[*id].map(|(first, _)| first));
    let mut shared: Vec<BufferSpec> = Vec::new();
    // The new buffers of temporaries: those in use by the last dispatch that touches them, and those that are free by
    // their words.
    let mut busy: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut free: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut renumbered = vec![BufferId(0); buffers.len()];
    for id in order {
        let spec = &buffers[id];
        let life = lives[id].filter(|_| !spec.persistent);
        let reusable = match life {
            Some((first, _)) => {
                while let Some((last, new)) = busy.first().copied().filter(|(last, _)| *last < first) {
                    busy.remove(&(last, new));
                    free.insert((shared[new].words, new));
                }
                best_fit(spec.words, &mut free)
            }
            // A temporary that no dispatch touches needs no memory of its own.
            None if !spec.persistent => Some(0),
            None => None,
        };
        let new = reusable.unwrap_or_else(|| {
            shared.push(BufferSpec { words: 0, ..spec.clone() });
            shared.len() - 1
        });
        busy.extend(life.map(|(_, last)| (last, new)));
        if lives[id].is_some() || spec.persistent {
            shared[new].words = shared[new].words.max(spec.words);
        }
        renumbered[id] = BufferId(new);
    }
    for slice in dispatches.iter_mut().flat_map(|dispatch| &mut dispatch.operands).chain(named.values_mut()) {
        slice.buffer = renumbered[slice.buffer.0];
    }
    let exchanges = dispatches.iter_mut().flat_map(|dispatch| &mut dispatch.exchanges);
    for slice in exchanges.flat_map(Exchange::slices_mut) {
        slice.buffer = renumbered[slice.buffer.0];
    }
    *buffers = shared;
}

// The first and last dispatch that touches each buffer.
fn lives(count: usize, dispatches: &[Dispatch]) -> Vec<Option<(usize, usize)>> {
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; count];
    for (at, dispatch) in dispatches.iter().enumerate() {
        for slice in &dispatch.operands {
            let life = &mut lives[slice.buffer.0];
            *life = Some((life.map_or(at, |(first, _)| first), at));
        }
    }
    lives
}

// Takes the free buffer that wastes least: the smallest that is large enough, or else the largest.
fn best_fit(words: usize, free: &mut BTreeSet<(usize, usize)>) -> Option<usize> {
    let fitting = free.range((words, 0)..).next().or_else(|| free.last()).copied()?;
    free.remove(&fitting);
    Some(fitting.1)
}
