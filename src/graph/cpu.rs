//! Replaying a plan on the CPU reference, dispatch by dispatch.

use std::collections::BTreeMap;
use std::ops::Range;

use narrows_shaders::Access;

use super::{Dispatch, Plan, Slice};
use crate::{Error, Result};

/// A plan's buffers in main memory.
#[derive(Debug)]
pub(super) struct CpuReplay {
    memory: Vec<Vec<u32>>,
}

impl CpuReplay {
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        let words = plan.buffers.iter().fold(0_u64, |all, buffer| all.saturating_add(buffer.words as u64));
        let refused = |()| Error::Memory {
            operation: "prepare the plan".to_owned(),
            needed: words.saturating_mul(4),
            advice: "Use a smaller batch or model, or fewer images",
        };
        let zeroed = plan.buffers.iter().map(|buffer| bytemuck::allocation::try_zeroed_vec(buffer.words));
        let memory = zeroed.collect::<Result<_, ()>>().map_err(refused)?;
        Ok(Self { memory })
    }

    pub(super) fn write(&mut self, slice: Slice, words: &[u32]) {
        self.words_mut(Slice { words: words.len(), ..slice }).copy_from_slice(words);
    }

    pub(super) fn words_mut(&mut self, slice: Slice) -> &mut [u32] {
        &mut self.memory[slice.buffer.0][slice.offset..slice.offset + slice.words]
    }

    pub(super) fn read(&self, slice: Slice) -> Vec<u32> {
        self.memory[slice.buffer.0][slice.offset..slice.offset + slice.words].to_vec()
    }

    // Buffers that are written are taken out of memory meanwhile, so that they can be written beside those that are read; the
    // graph made sure that no buffer is both, and that what is written of one does not overlap.
    pub(super) fn run(&mut self, dispatch: &Dispatch) {
        let operands = dispatch.kernel.operands();
        let written = |at: &usize| operands[*at].access == Access::ReadWrite;
        let buffer = |at: usize| dispatch.operands[at].buffer.0;
        let mut writes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in (0..operands.len()).filter(written) {
            writes.entry(buffer(at)).or_default().push(at);
        }
        let mut taken: Vec<Vec<u32>> =
            writes.keys().map(|buffer| std::mem::take(&mut self.memory[*buffer])).collect();
        let range = |at: usize| {
            let offset = dispatch.operands[at].offset;
            offset..offset + operands[at].words
        };
        let reads: Vec<&[u32]> = (0..operands.len())
            .filter(|at| !written(at))
            .map(|at| &self.memory[buffer(at)][range(at)])
            .collect();
        let mut targets: Vec<(usize, &mut [u32])> = Vec::new();
        for (words, all) in taken.iter_mut().zip(writes.values()) {
            targets.extend(carved(words, all.iter().map(|at| (*at, range(*at))).collect()));
        }
        targets.sort_by_key(|(at, _)| *at);
        let mut targets: Vec<&mut [u32]> = targets.into_iter().map(|(_, words)| words).collect();
        dispatch.kernel.reference(&reads, &mut targets);
        for (words, buffer) in taken.into_iter().zip(writes.into_keys()) {
            self.memory[buffer] = words;
        }
    }
}

// The ranges of `words` that are wanted, which do not overlap, each with its number.
fn carved(words: &mut [u32], mut wanted: Vec<(usize, Range<usize>)>) -> Vec<(usize, &mut [u32])> {
    wanted.sort_by_key(|(_, range)| range.start);
    let (mut rest, mut begin) = (words, 0);
    let cut = |(number, range): (usize, Range<usize>)| {
        let (_, from) = std::mem::take(&mut rest).split_at_mut(range.start - begin);
        let (own, behind) = from.split_at_mut(range.len());
        (rest, begin) = (behind, range.end);
        (number, own)
    };
    wanted.into_iter().map(cut).collect()
}
