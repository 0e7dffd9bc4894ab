//! Where a run stands, as the device holds it (`shaders/lib/state.wgsl`).

use crate::rng::key;

/// Where a run stands: its seed, and its position in steps and in the data.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct State {
    /// The run's seed, low word first.
    pub seed: [u32; 2],
    /// Steps completed.
    pub step: u32,
    /// Passes over the data completed.
    pub epoch: u32,
    /// Where in this pass the next batch begins.
    pub cursor: u32,
}

impl State {
    /// The state before the first step.
    pub const fn new(seed: u64) -> Self {
        Self { seed: key(seed), step: 0, epoch: 0, cursor: 0 }
    }

    /// Its size in 32-bit words.
    pub const WORDS: usize = size_of::<Self>() / 4;

    /// Reads it back from words.
    pub fn from_words(words: &[u32]) -> Self {
        let mut state: Self = bytemuck::Zeroable::zeroed();
        let fields: &mut [u32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut state));
        for (field, word) in fields.iter_mut().zip(words) {
            *field = *word;
        }
        state
    }

    /// Its words.
    pub fn words(&self) -> &[u32] {
        bytemuck::cast_slice(std::slice::from_ref(self))
    }
}
