//! Medians, how far samples spread, and how sure the ratio of two medians is.

use rand::Rng;

use crate::rng::{PhiloxRng, Stream};

// Draws of a bootstrap, and how much of them lies outside of its interval. Many benchmarks are compared at once, and
// each may seem to differ by chance.
const DRAWS: usize = 2_000;
const OUTSIDE: f64 = 0.01;

/// Where samples lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The first and the third quartile.
    pub quartiles: [f64; 2],
}

impl Spread {
    /// Of `samples`; not numbers where there are none.
    pub fn of(samples: &[f64]) -> Self {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self { median: quantile(&sorted, 0.5), quartiles: [0.25, 0.75].map(|share| quantile(&sorted, share)) }
    }

    /// The distance of the quartiles, as a share of the median.
    pub fn relative(&self) -> f64 {
        (self.quartiles[1] - self.quartiles[0]) / self.median
    }
}

// Between the two samples that lie next to it, in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

/// Where the ratio of the medians of `now` and `then` lies with 99 % of certainty, by the bootstrap: medians of samples
/// drawn from the samples with replacement (Efron 1979, "Bootstrap Methods: Another Look at the Jackknife"). The same
/// samples give the same interval. Not numbers where either is empty.
pub fn ratio_interval(now: &[f64], then: &[f64]) -> [f64; 2] {
    let mut rng = PhiloxRng::new(0, 0, Stream::Bootstrap);
    let mut ratios: Vec<f64> =
        (0..DRAWS).map(|_| drawn_median(now, &mut rng) / drawn_median(then, &mut rng)).collect();
    ratios.sort_by(f64::total_cmp);
    [0.5 * OUTSIDE, 1.0 - 0.5 * OUTSIDE].map(|share| quantile(&ratios, share))
}

fn drawn_median(samples: &[f64], rng: &mut PhiloxRng) -> f64 {
    let count = samples.len() as u64;
    let at = |word: u32| ((u64::from(word) * count) >> 32) as usize;
    let mut drawn: Vec<f64> = samples.iter().map(|_| samples[at(rng.next_u32())]).collect();
    drawn.sort_by(f64::total_cmp);
    quantile(&drawn, 0.5)
}
