//! Which images a step sees, and their pixels: the twin of `shaders/batch.wgsl`, bit for bit in its indices.

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

/// The position `steps` behind `cursor` among `count`, and how many passes it has moved on, 0 or 1;
/// `steps` must be at most `count`.
pub fn ahead(cursor: u32, steps: u32, count: u32) -> (u32, u32) {
    let left = count - cursor;
    if steps >= left { (steps - left, 1) } else { (cursor + steps, 0) }
}

/// A byte of an image as a pixel in [0, 1].
pub fn pixel(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

// The finalizer of MurmurHash3.
fn mix(x: u32) -> u32 {
    let mut h = x;
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(seed: u32, epoch: u32, count: u32) -> Vec<u32> {
        let permutation = Permutation::new([seed, 0], epoch, count);
        (0..count).map(|position| permutation.index(position)).collect()
    }

    #[test]
    fn every_image_comes_exactly_once_in_a_pass() {
        for count in [1, 2, 3, 4, 5, 16, 17, 27, 64, 65, 1000, 60_000] {
            for (seed, epoch) in [(0, 0), (1, 0), (1, 1), (9, 1234)] {
                let mut order = order(seed, epoch, count);
                order.sort_unstable();
                assert!(order.into_iter().eq(0..count), "{count} images, seed {seed}, pass {epoch}");
            }
        }
    }

    #[test]
    fn the_largest_count_stays_in_range() {
        let permutation = Permutation::new([3, 4], 5, u32::MAX);
        for position in [0, 1, u32::MAX / 2, u32::MAX - 1] {
            assert!(permutation.index(position) < u32::MAX);
        }
    }

    #[test]
    fn passes_and_seeds_have_orders_of_their_own() {
        let first = order(1, 0, 1000);
        for other in [order(1, 1, 1000), order(2, 0, 1000), (0..1000).collect()] {
            let same = first.iter().zip(&other).filter(|(a, b)| a == b).count();
            assert!(same < 10, "{same} of 1000 images at the same place, expected about 1");
        }
    }

    // Chi-square over (place, image) cells: over many passes each image is as likely at each place. With
    // (n - 1)^2 degrees of freedom the statistic has that mean and twice that variance.
    #[test]
    fn every_image_is_equally_likely_at_every_place() {
        for count in [3_u32, 5, 27, 64] {
            let passes = 20_000;
            let n = count as usize;
            let mut seen = vec![0_u32; n * n];
            for epoch in 0..passes {
                let permutation = Permutation::new([7, 7], epoch, count);
                for place in 0..count {
                    seen[place as usize * n + permutation.index(place) as usize] += 1;
                }
            }
            let expected = f64::from(passes) / f64::from(count);
            let chi: f64 = seen.iter().map(|c| (f64::from(*c) - expected).powi(2) / expected).sum();
            let freedom = f64::from(count - 1).powi(2);
            let deviations = (chi - freedom) / (2.0 * freedom).sqrt();
            assert!(deviations.abs() < 5.0, "{count} images: chi-square {chi:.0} for {freedom}");
        }
    }

    // Neighbours in one order must not be neighbours in the data: the mean distance of two uniform draws
    // from [0, n) is n / 3.
    #[test]
    fn neighbours_in_a_pass_are_far_apart_in_the_data() {
        let order = order(1, 0, 60_000);
        let distance: f64 = order.windows(2).map(|pair| f64::from(pair[0].abs_diff(pair[1]))).sum();
        let mean = distance / 59_999.0;
        assert!((mean - 20_000.0).abs() < 400.0, "mean distance {mean}, expected 20000");
    }
}
