//! Random numbers on their own: the twin of `shaders/random.wgsl`.

use crate::rng::philox;

/// Philox's blocks of four words for `[first_block, step, stream, instance]` and the counters after it, without end.
pub fn blocks(
    seed: [u32; 2],
    [first_block, step, stream, instance]: [u32; 4],
) -> impl Iterator<Item = [u32; 4]> {
    (0..).map(move |block| philox([first_block.wrapping_add(block), step, stream, instance], seed))
}
