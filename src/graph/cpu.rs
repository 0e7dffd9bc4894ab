//! Replaying a plan on the CPU reference, dispatch by dispatch.

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

    // What is written is taken out of memory meanwhile, so that it can be written beside what is read; the graph made
    // sure that the two never share a buffer.
    pub(super) fn run(&mut self, dispatch: &Dispatch) {
        let operands = dispatch.kernel.operands();
        let written = |at: &usize| operands[*at].access == Access::ReadWrite;
        let writes: Vec<usize> = (0..operands.len()).filter(written).collect();
        let mut taken: Vec<Vec<u32>> = writes
            .iter()
            .map(|at| std::mem::take(&mut self.memory[dispatch.operands[*at].buffer.0]))
            .collect();
        let range = |at: usize| {
            let offset = dispatch.operands[at].offset;
            offset..offset + operands[at].words
        };
        let reads: Vec<&[u32]> = (0..operands.len())
            .filter(|at| !written(at))
            .map(|at| &self.memory[dispatch.operands[at].buffer.0][range(at)])
            .collect();
        let mut targets: Vec<&mut [u32]> =
            taken.iter_mut().zip(&writes).map(|(words, at)| &mut words[range(*at)]).collect();
        dispatch.kernel.reference(&reads, &mut targets);
        for (words, at) in taken.into_iter().zip(&writes) {
            self.memory[dispatch.operands[*at].buffer.0] = words;
        }
    }
}
