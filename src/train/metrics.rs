//! What training reports: the means of its terms, and how far it is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Rewind;
use crate::graph::TermSpec;

/// The mean of each term of a step: unweighted, over the images of an epoch or of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct TermMeans {
    terms: Arc<[TermSpec]>,
    values: Vec<f64>,
}

impl TermMeans {
    /// Of these terms, in their order.
    pub(crate) fn new(terms: &Arc<[TermSpec]>, values: Vec<f64>) -> Self {
        Self { terms: Arc::clone(terms), values }
    }

    /// Each term with its mean.
    pub fn iter(&self) -> impl Iterator<Item = (&TermSpec, f64)> {
        self.terms.iter().zip(self.values.iter().copied())
    }

    /// The mean of the term called `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.iter().find(|(term, _)| term.name == name).map(|(_, value)| value)
    }

    /// The first reconstruction, with its mean per image.
    pub fn reconstruction(&self) -> Option<(&TermSpec, f64)> {
        self.iter().find(|(term, _)| term.pixels.is_some())
    }

    /// The terms of each update by themselves, in the order of the step.
    pub fn updates(&self) -> impl Iterator<Item = Self> {
        let mut values = self.values.iter().copied();
        let updates = self.terms.chunk_by(|a, b| a.update == b.update);
        updates.map(move |terms| Self::new(&terms.into(), values.by_ref().take(terms.len()).collect()))
    }

    /// What the first update minimizes: its terms with their weights, in the scale of a reconstruction that is summed
    /// over pixels. The negative ELBO where the weights are 1 and the terms its parts.
    pub fn total(&self) -> f64 {
        self.sum(|_| true)
    }

    /// What runs are ranked by: as [`TermMeans::total`], of the terms that say how good a model is.
    pub fn objective(&self) -> f64 {
        self.sum(|term| term.ranks)
    }

    fn sum(&self, counts: impl Fn(&TermSpec) -> bool) -> f64 {
        let Some(first) = self.terms.first() else { return 0.0 };
        let own = self.iter().filter(|(term, _)| term.update == first.update && counts(term));
        let scale = f64::from(first.averaged_over);
        own.map(|(term, value)| f64::from(term.weight) * scale / f64::from(term.averaged_over) * value).sum()
    }

    /// What a constant answer is measured against: the bound on the negative log likelihood, else the reconstruction, per
    /// image.
    pub fn explained(&self) -> Option<f64> {
        self.elbo().map(|bound| -bound).or_else(|| self.reconstruction().map(|(_, value)| value))
    }

    /// The evidence lower bound, in nats per image: of a reconstruction and what keeps its code near the prior. None where
    /// the terms are no bound, or another one.
    pub fn elbo(&self) -> Option<f64> {
        let parts = || self.iter().filter(|(term, _)| term.bound);
        let [reconstructs, pays] =
            [true, false].map(|pixels| parts().any(|(term, _)| term.pixels.is_some() == pixels));
        // A squared error is no probability, whatever is added to it.
        let probabilities = parts().all(|(term, _)| term.unit == "nats");
        (reconstructs && pays && probabilities).then(|| -parts().map(|(_, value)| value).sum::<f64>())
    }
}

/// A term's sum over the steps of the epoch under way. It is kept in checkpoints, as bits, so that a resumed epoch
/// reports the same means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Running {
    /// The term's name.
    pub(super) term: String,
    /// The steps in which it was minimized.
    pub(super) steps: u64,
    pub(super) sum_bits: Bits,
}

/// A number that files keep as its bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub(super) struct Bits(pub(super) f64);

impl From<u64> for Bits {
    fn from(bits: u64) -> Self {
        Self(f64::from_bits(bits))
    }
}

impl From<Bits> for u64 {
    fn from(Bits(number): Bits) -> Self {
        number.to_bits()
    }
}

impl Running {
    /// Of no steps, for each of the terms.
    pub(super) fn none(terms: &[TermSpec]) -> Vec<Self> {
        let none = |term: &TermSpec| Self { term: term.name.clone(), steps: 0, sum_bits: Bits::default() };
        terms.iter().map(none).collect()
    }

    pub(super) fn add(&mut self, value: f64) {
        self.sum_bits.0 += value;
        self.steps += 1;
    }

    /// The means of all terms.
    pub(super) fn means(running: &[Self], terms: &Arc<[TermSpec]>) -> TermMeans {
        TermMeans::new(terms, running.iter().map(|term| term.sum_bits.0 / term.steps.max(1) as f64).collect())
    }
}

/// A loss as people read it: with so many decimals, or in powers of ten where that would be many digits.
pub(crate) fn figure(loss: f64, decimals: usize) -> String {
    if loss.abs() >= 1e9 { format!("{loss:.3e}") } else { format!("{loss:.decimals$}") }
}

/// A number with four digits at most, as people read it.
pub(crate) fn rounded(number: f32) -> f32 {
    format!("{number:.3e}").parse().unwrap_or(number)
}

/// Where training stands, for progress bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The epoch under way, from 1.
    pub epoch: u32,
    /// Steps done in this epoch.
    pub step: u64,
    /// Steps in this epoch.
    pub steps: u64,
    /// Steps done since the run began.
    pub run_step: u64,
    /// Steps the whole run will take.
    pub run_steps: u64,
    /// Images per step.
    pub batch: u32,
    /// Means of this epoch so far.
    pub means: TermMeans,
}

/// The results of an epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: u32,
    /// Steps since the run began.
    pub step: u64,
    /// Means over the epoch's steps, while parameters moved.
    pub train: TermMeans,
    /// Over the validation images after the epoch; absent without any.
    pub validation: Option<TermMeans>,
    /// Whether no epoch before ranked better.
    pub best: bool,
    /// Training time of this epoch, without validation.
    pub seconds: f64,
    /// Images trained on each second.
    pub images_per_second: f64,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f32,
    /// How training went back in this epoch.
    pub rewinds: Vec<Rewind>,
}

#[cfg(test)]
mod tests {
    use super::figure;

    #[test]
    fn a_loss_of_many_digits_is_in_powers_of_ten() {
        assert_eq!(figure(-0.12345, 4), "-0.1235");
        assert_eq!(figure(123_456_789.0, 2), "123456789.00");
        assert_eq!(figure(-1.8816e51, 4), "-1.882e51");
        assert_eq!(figure(f64::NAN, 4), "NaN");
    }
}
