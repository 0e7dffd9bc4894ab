//! Inverted dropout (Srivastava et al. 2014): the twin of `shaders/dropout.wgsl`.

use crate::rng::{Stream, philox};

/// What a random word must reach for its element to be kept: `rate 2^32`, for a rate in [0, 1).
pub fn threshold(rate: f32) -> u32 {
    (f64::from(rate) * 2_f64.powi(32)) as u32
}

/// What an element that is kept is multiplied by, so that its expectation stays: `1 / (1 - rate)`.
pub fn scale(rate: f32) -> f32 {
    (1.0 / (1.0 - f64::from(rate))) as f32
}

/// Which elements dropout number `instance` of a model keeps, one after the other without end.
pub fn mask(seed: [u32; 2], step: u32, instance: u32, rate: f32) -> impl Iterator<Item = bool> {
    let threshold = threshold(rate);
    let words = (0..).flat_map(move |block| philox([block, step, Stream::Dropout as u32, instance], seed));
    words.map(move |word| word >= threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_kept_as_the_rate_says_and_the_expectation_stays() {
        for rate in [0.0, 0.1, 0.5, 0.9] {
            let n = 100_000;
            let kept = mask([7, 0], 3, 0, rate).take(n).filter(|kept| *kept).count();
            let share = kept as f64 / n as f64;
            assert!((share - (1.0 - f64::from(rate))).abs() < 0.005, "rate {rate}: {share} kept");
            assert!((share * f64::from(scale(rate)) - 1.0).abs() < 0.05, "rate {rate}");
        }
        assert!(mask([7, 0], 3, 0, 0.0).take(1000).all(|kept| kept));
    }

    #[test]
    fn another_instance_step_or_seed_has_a_mask_of_its_own() {
        let masks = [([7, 0], 3, 0), ([7, 0], 3, 1), ([7, 0], 4, 0), ([8, 0], 3, 0), ([7, 1], 3, 0)]
            .map(|(seed, step, instance)| mask(seed, step, instance, 0.5).take(256).collect::<Vec<bool>>());
        for (i, mask) in masks.iter().enumerate() {
            for other in &masks[..i] {
                let agreeing = mask.iter().zip(other).filter(|(a, b)| a == b).count();
                assert!((96..160).contains(&agreeing), "{agreeing} of 256 agree");
            }
        }
    }
}
