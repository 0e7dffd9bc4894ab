//! Philox4x32-10: the twin of `shaders/lib/philox.wgsl`, bit for bit in its words.

use std::convert::Infallible;

use rand::TryRng;
use rand::rand_core::block::{BlockRng, Generator};

/// What a number is drawn for: the third word of the counter.
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
    /// Data sets that are points of the plane.
    Points = 8,
    /// Noise that a model takes as its input.
    Noise = 9,
    /// How pictures are mirrored, shifted and cropped.
    Augmentation = 10,
    /// Samples that are drawn again, to see how sure their median is.
    Bootstrap = 11,
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

/// -1 or 1 by the highest bit, with equal probability.
pub const fn sign(bits: u32) -> f64 {
    if bits >> 31 == 1 { -1.0 } else { 1.0 }
}

/// The standard normal of one element of a stream at one step. The `instance` separates draws from the same stream,
/// such as two samples of a model.
pub fn normal_at(seed: [u32; 2], step: u32, stream: Stream, instance: u32, element: usize) -> f64 {
    let block = (element / 4) as u32;
    normals(philox([block, step, stream as u32, instance], seed))[element % 4]
}

/// A generator for rand's distributions: the words of one stream at one step, in element order.
///
/// The device draws the same words for the same seed, step and stream. After 2^34 of them the block number carries into
/// the counter's fourth word, the instance.
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
