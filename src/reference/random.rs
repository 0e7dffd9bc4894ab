//! Random numbers on their own: the twin of `shaders/random.wgsl`.

use crate::rng::philox;

/// Where in the generator's counter space a draw begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Draw {
    /// The key: the run's seed, low word first.
    pub seed: [u32; 2],
    /// The counter's second word.
    pub step: u32,
    /// The counter's first word for elements 0 to 3.
    pub first_block: u32,
    /// The counter's third word.
    pub stream: u32,
    /// The counter's fourth word.
    pub instance: u32,
}

impl Draw {
    /// Blocks of four words, in order, without end.
    pub fn blocks(self) -> impl Iterator<Item = [u32; 4]> {
        let Self { seed, step, first_block, stream, instance } = self;
        (0..).map(move |block| philox([first_block.wrapping_add(block), step, stream, instance], seed))
    }
}
