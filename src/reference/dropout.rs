//! Inverted dropout (Srivastava et al. 2014): the twin of `shaders/dropout.wgsl`.

use super::random::blocks;
use crate::rng::Stream;

/// The least random word that keeps its element: `rate 2^32`, for a rate in [0, 1).
pub fn threshold(rate: f32) -> u32 {
    (f64::from(rate) * 2_f64.powi(32)) as u32
}

/// The factor of the elements that are kept, so that the expectation stays: `1 / (1 - rate)`.
pub fn scale(rate: f32) -> f32 {
    (1.0 / (1.0 - f64::from(rate))) as f32
}

/// Whether dropout number `instance` of a model keeps each element, in order from a block's first on, without end.
pub fn mask(
    seed: [u32; 2],
    [first_block, step, instance]: [u32; 3],
    rate: f32,
) -> impl Iterator<Item = bool> {
    let threshold = threshold(rate);
    let words = blocks(seed, [first_block, step, Stream::Dropout as u32, instance]).flatten();
    words.map(move |word| word >= threshold)
}
