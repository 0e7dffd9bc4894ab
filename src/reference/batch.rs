//! The images of a step, and their pixels: the twin of `shaders/batch.wgsl`, bit for bit in its indices.

use half::f16;

use crate::rng::{Stream, philox};

/// The order of the images in one pass over the data: a keyed bijection of `[0, count)`.
///
/// A balanced Feistel network of eight rounds over the smallest even number of bits that holds
/// `count - 1`, at least two, with cycle walking (Black and Rogaway 2002).
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    count: u32,
    half: u32,
    keys: [u32; 8],
}

impl Permutation {
    /// The order of pass `epoch` over `count` images, at least one, under `seed`.
    pub fn new(seed: [u32; 2], epoch: u32, count: u32) -> Self {
        let bits = (u32::BITS - count.saturating_sub(1).leading_zeros()).max(2);
        let mut keys = [0; 8];
        for (block, keys) in (0..).zip(keys.chunks_exact_mut(4)) {
            keys.copy_from_slice(&philox([block, epoch, Stream::Permutation as u32, 0], seed));
        }
        Self { count, half: bits.div_ceil(2), keys }
    }

    /// The image at `position`, which must be below `count`.
    pub fn index(&self, position: u32) -> u32 {
        let mut at = self.network(position);
        while at >= self.count {
            at = self.network(at);
        }
        at
    }

    fn network(&self, at: u32) -> u32 {
        let mask = (1 << self.half) - 1;
        let (mut left, mut right) = (at >> self.half, at & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        (left << self.half) | right
    }
}

/// The position `steps` after `cursor` among `count`, and the number of passes in between, 0 or 1. `steps` must be at
/// most `count`.
pub fn ahead(cursor: u32, steps: u32, count: u32) -> (u32, u32) {
    let left = count - cursor;
    if steps >= left { (steps - left, 1) } else { (cursor + steps, 0) }
}

/// How the numbers of a data set's rows are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rows {
    /// Bytes, each of which means byte / 255.
    #[default]
    Bytes,
    /// 16-bit floats.
    Halves,
    /// 32-bit floats.
    Floats,
}

impl Rows {
    /// Every kind of rows.
    pub const ALL: [Self; 3] = [Self::Bytes, Self::Halves, Self::Floats];

    /// The shader's constant `ROWS`.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// Numbers in a word of 32 bits.
    pub const fn per_word(self) -> usize {
        match self {
            Self::Bytes => 4,
            Self::Halves => 2,
            Self::Floats => 1,
        }
    }

    /// Number `at` of the rows that lie in these words.
    pub fn number(self, words: &[u32], at: usize) -> f32 {
        let (word, part) = (words[at / self.per_word()], at % self.per_word());
        match self {
            Self::Bytes => f32::from(word.to_le_bytes()[part]) / 255.0,
            Self::Halves => f16::from_bits((word >> (16 * part)) as u16).to_f32(),
            Self::Floats => f32::from_bits(word),
        }
    }
}

// The finalizer of MurmurHash3.
fn mix(x: u32) -> u32 {
    let mut h = x;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}
