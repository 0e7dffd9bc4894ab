//! What the tests of several kernels give them.

use narrows::kernels::loss::Kind;
use narrows::kernels::moments::Strips;
use narrows::kernels::{State, floats};

use super::{noise, words};

/// Every likelihood.
pub const KINDS: [Kind; 5] = [
    Kind::SquaredError,
    Kind::Gaussian { deviation: 0.3 },
    Kind::GaussianLearned,
    Kind::Bernoulli,
    Kind::ContinuousBernoulli,
];

/// Rows and latent numbers of Gaussian codes.
pub const CODES: [(u32, u32); 12] = [
    (1, 1),
    (1, 129),
    (129, 1),
    (3, 27),
    (27, 3),
    (51, 2),
    (64, 51),
    (2, 65),
    (129, 129),
    (5, 784),
    (128, 32),
    (784, 3),
];

/// mu and logvar of codes of one number, whose precision is easily lost.
pub const EXTREME_CODES: [[f32; 2]; 8] = [
    [0.0, 0.0],
    [100.0, 0.0],
    [-100.0, 1.0],
    [1e-4, 1e-4],
    [0.0, -1e-3],
    [0.0, 60.0],
    [0.0, -100.0],
    [3.0, 0.199],
];

/// Codes `[rows, 2 latent]`: mu in [-3, 3), logvar in [-4, 4).
pub fn stats((rows, latent): (u32, u32)) -> Vec<u32> {
    let numbers = noise(5, (2 * rows * latent) as usize);
    let logvar = |i: usize| i as u32 / latent % 2 == 1;
    let scaled = |(i, n): (usize, &f32)| if logvar(i) { 4.0 * n } else { 3.0 * n };
    words(&numbers.iter().enumerate().map(scaled).collect::<Vec<f32>>())
}

/// The gradient of codes before a kernel adds to it; None where the kernel writes it.
pub fn dstats_before((rows, latent): (u32, u32), accumulate: bool) -> Option<Vec<u32>> {
    accumulate.then(|| words(&noise(7, (2 * rows * latent) as usize)))
}

/// Batches of pixels of channels, by chunks of rows.
pub const STRIPS: [Strips; 13] = [
    strips(2, 1, 2),
    strips(3, 27, 1),
    strips(27, 3, 5),
    strips(51, 64, 64),
    strips(64, 51, 16),
    strips(129, 129, 128),
    strips(7, 33, 3),
    strips(257, 32, 256),
    strips(9, 31, 8),
    strips(4097, 1, 300),
    strips(1568, 16, 128),
    strips(200_000, 3, 1000),
    strips(130, 784, 64),
];

pub const fn strips(rows: u32, channels: u32, chunk: u32) -> Strips {
    Strips { rows, channels, chunk }
}

/// Numbers of the whole batch.
pub fn count(strips: &Strips) -> usize {
    strips.rows as usize * strips.channels as usize
}

/// The state of a step under a seed.
pub fn state(seed: u64, step: u32) -> Vec<u32> {
    State { step, ..State::new(seed) }.words().to_vec()
}

/// Images as words of four bytes: every byte value, in a pattern that no shift by whole images repeats.
pub fn images(count: u32, pixels: u32) -> Vec<u32> {
    let bytes = (count * pixels).next_multiple_of(4);
    let bytes: Vec<u8> = (0..bytes).map(|i| (i.wrapping_mul(167) + i / 256) as u8).collect();
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// The places of the numbers that are NaN.
pub fn nans(words: &[u32]) -> Vec<usize> {
    let values = floats(words).iter().enumerate();
    values.filter(|(_, value)| value.is_nan()).map(|(i, _)| i).collect()
}
