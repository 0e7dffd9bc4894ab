//! What changes from step to step, as the device holds it (`shaders/lib/state.wgsl`).

use crate::rng::key;

/// The step's state: seed, position in the data, learning rate, Adam's corrections, the KL's warm-up.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct State {
    /// The run's seed, low word first.
    pub seed: [u32; 2],
    /// Steps completed.
    pub step: u32,
    /// Passes over the data completed.
    pub epoch: u32,
    /// Where in this pass the next batch begins.
    pub cursor: u32,
    /// The optimizer's learning rate.
    pub learning_rate: f32,
    /// Adam's `1 - beta1^t` for the step under way.
    pub correction1: f32,
    /// Adam's `1 - beta2^t` for the step under way.
    pub correction2: f32,
    /// The share of the KL's weight that counts at this step: 1 but during its warm-up.
    pub kl_share: f32,
}

impl State {
    /// The state before the first step, without a warm-up. `betas` are the decay rates of Adam's two moments, zeros
    /// for an optimizer that has none.
    pub fn new(seed: u64, learning_rate: f32, betas: [f64; 2]) -> Self {
        let [correction1, correction2] = betas.map(|beta| (1.0 - beta) as f32);
        Self {
            seed: key(seed),
            step: 0,
            epoch: 0,
            cursor: 0,
            learning_rate,
            correction1,
            correction2,
            kl_share: 1.0,
        }
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
