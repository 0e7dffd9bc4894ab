//! The choice of rows for a part: at random but the same each time, and with every class in proportion.

use super::Dataset;
use crate::rng::{Stream, key, philox};

/// The sorted places of `held_out` of `count` rows. With labels, each class gives its share, to within one row.
///
/// Rows are put in a random order, then by label, and every `count / held_out`-th is taken: systematic sampling
/// (Cochran, *Sampling Techniques*, chapter 8).
pub fn stratified(labels: Option<&[u8]>, count: usize, held_out: usize, seed: u64) -> Vec<usize> {
    let held_out = held_out.min(count);
    let random = |place: &usize| {
        let number = *place as u64;
        philox([number as u32, (number >> 32) as u32, Stream::Permutation as u32, 1], key(seed))
    };
    let label = |place: &usize| labels.and_then(|labels| labels.get(*place)).copied();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|place| (label(place), random(place), *place));
    let mut places: Vec<usize> =
        (0..held_out).map(|at| order[(2 * at + 1) * count / (2 * held_out)]).collect();
    places.sort_unstable();
    places
}

impl Dataset {
    /// Takes a stratified part of `held_out` rows out. What stays keeps its order.
    pub(super) fn split_stratified(&mut self, held_out: usize, seed: u64) -> Self {
        if self.places.is_empty() {
            self.places = (0..self.len()).collect();
        }
        let taken = stratified(self.labels.as_deref(), self.len(), held_out, seed);
        let mut is_taken = vec![false; self.len()];
        taken.iter().for_each(|place| is_taken[*place] = true);
        let kept: Vec<usize> = (0..self.len()).filter(|place| !is_taken[*place]).collect();
        let part = self.chosen(&taken);
        *self = self.chosen(&kept);
        part
    }
}
