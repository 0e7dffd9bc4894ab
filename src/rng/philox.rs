//! Philox4x32-10: the twin of `shaders/lib/philox.wgsl`, bit for bit in its words.

use std::convert::Infallible;

use rand::TryRng;
use rand::rand_core::block::{BlockRng, Generator};

/// Which use a number is drawn for: the third word of the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Stream {
    /// The order of the images in a pass over the data.
    Permutation = 1,
    /// The noise of the reparameterized sample.
    Latent = 2,
    /// The parameters' first values.
    Initial = 3,
    /// Codes drawn from the prior.
    Prior = 4,
    /// The noise on the images that a denoising autoencoder sees.
    Corruption = 5,
    /// What dropout keeps.
    Dropout = 6,
    /// The directions along which a Jacobian's norm is estimated.
    Projection = 7,
    /// The points of the plane that are data sets.
    Points = 8,
    /// Inputs of a model that are noise.
    Noise = 9,
}

/// Ten rounds from a counter and a key to four random words (Salmon et al. 2011).
pub fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        let p0 = 0xD251_1F53_u64 * u64::from(c0);
        let p1 = 0xCD9E_8D57_u64 * u64::from(c2);
        let high = |product: u64| (product >> 32) as u32;
        (c0, c1, c2, c3) = (high(p1) ^ c1 ^ k0, p1 as u32, high(p0) ^ c3 ^ k1, p0 as u32);
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [c0, c1, c2, c3]
}

/// The key of a seed.
pub const fn key(seed: u64) -> [u32; 2] {
    [seed as u32, (seed >> 32) as u32]
}

/// Uniform in (0, 1): the 23 high bits, half a step off both ends. Exact in f32, where a 24th bit would
/// round the last step up to 1.
pub fn uniform(bits: u32) -> f64 {
    (f64::from(bits >> 9) + 0.5) / f64::from(1 << 23)
}

/// Four standard normals by Box and Muller's transform: of the pairs (0, 1) and (2, 3).
pub fn normals(bits: [u32; 4]) -> [f64; 4] {
    let pair = |a: u32, b: u32| {
        let radius = (-2.0 * uniform(a).ln()).sqrt();
        let angle = std::f64::consts::TAU * uniform(b);
        [radius * angle.cos(), radius * angle.sin()]
    };
    let ([a, b], [c, d]) = (pair(bits[0], bits[1]), pair(bits[2], bits[3]));
    [a, b, c, d]
}

/// -1 or 1, alike often: by the highest bit.
pub const fn sign(bits: u32) -> f64 {
    if bits >> 31 == 1 { -1.0 } else { 1.0 }
}

/// The standard normal of one element of a stream at one step. The `instance` tells those apart that draw from the same
/// stream: two samples of a model, say.
pub fn normal_at(seed: [u32; 2], step: u32, stream: Stream, instance: u32, element: usize) -> f64 {
    let block = (element / 4) as u32;
    normals(philox([block, step, stream as u32, instance], seed))[element % 4]
}

/// A generator for rand's distributions: the words of one stream at one step, in element order.
///
/// The words are those the device draws for the same seed, step and stream; past 2^34 of them the block
/// number carries into the counter's fourth word, the instance.
#[derive(Clone, Debug)]
pub struct PhiloxRng(BlockRng<Blocks>);

#[derive(Clone, Debug)]
struct Blocks {
    key: [u32; 2],
    step: u32,
    stream: Stream,
    block: u64,
}

impl PhiloxRng {
    /// The generator at the start of `stream`, at `step`, under `seed`.
    pub fn new(seed: u64, step: u32, stream: Stream) -> Self {
        Self(BlockRng::new(Blocks { key: key(seed), step, stream, block: 0 }))
    }
}

impl Generator for Blocks {
    type Output = [u32; 4];

    fn generate(&mut self, output: &mut [u32; 4]) {
        let [low, high] = key(self.block);
        *output = philox([low, self.step, self.stream as u32, high], self.key);
        self.block = self.block.wrapping_add(1);
    }
}

impl TryRng for PhiloxRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64_from_u32())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, RngExt};

    use super::*;

    // Random123's `kat_vectors`, philox4x32 10.
    #[test]
    fn philox_gives_random123s_known_answers() {
        let ones = u32::MAX;
        for (counter, key, answer) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([ones; 4], [ones; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(philox(counter, key), answer);
        }
    }

    #[test]
    fn normals_have_mean_zero_and_variance_one() {
        let n = 100_000;
        let draw = |i| normal_at(key(7), 3, Stream::Prior, 0, i);
        let mean = (0..n).map(draw).sum::<f64>() / n as f64;
        let variance = (0..n).map(|i| draw(i).powi(2)).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }

    #[test]
    fn instances_draw_different_numbers_and_the_first_is_the_streams_own() {
        let draw = |instance, i| normal_at(key(7), 3, Stream::Latent, instance, i);
        let blocks = (0..16).flat_map(|block| normals(philox([block, 3, Stream::Latent as u32, 0], key(7))));
        for (i, normal) in blocks.enumerate() {
            assert_eq!(draw(0, i), normal);
            assert!(draw(1, i) != normal && draw(1, i) != draw(2, i));
        }
    }

    #[test]
    fn uniforms_never_reach_either_end_in_f32() {
        for bits in [0, 1, u32::MAX - 1, u32::MAX, 1 << 31] {
            let u = uniform(bits);
            assert!(u > 0.0 && u < 1.0, "{bits:#x} gives {u}");
            assert_eq!(f64::from(u as f32), u, "{bits:#x} is not exact in f32");
        }
    }

    #[test]
    fn the_generator_gives_the_streams_words_and_repeats() {
        let mut rng = PhiloxRng::new(7, 3, Stream::Initial);
        let mut again = rng.clone();
        for element in 0..40_u32 {
            let words = philox([element / 4, 3, Stream::Initial as u32, 0], key(7));
            assert_eq!(rng.next_u32(), words[element as usize % 4]);
        }
        let draw = |rng: &mut PhiloxRng| (0..100).map(|_| rng.random_range(-0.5..0.5)).collect::<Vec<f32>>();
        let first = draw(&mut again);
        assert_eq!(first, draw(&mut PhiloxRng::new(7, 3, Stream::Initial)));
        assert!(first.iter().all(|x| (-0.5..0.5).contains(x)));
    }

    #[test]
    fn seeds_steps_and_streams_draw_different_numbers() {
        let word = |seed, step, stream| PhiloxRng::new(seed, step, stream).next_u64();
        let words = [
            word(7, 3, Stream::Initial),
            word(7, 3, Stream::Prior),
            word(7, 4, Stream::Initial),
            word(8, 3, Stream::Initial),
            word(7 + (1 << 32), 3, Stream::Initial),
        ];
        for (i, word) in words.iter().enumerate() {
            assert!(!words[..i].contains(word), "draw {i} repeats one before it");
        }
    }
}
