//! What training reports: the means of its terms, and how far it is.

use std::sync::Arc;

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

    /// The first reconstruction, with its mean for an image.
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

/// Sums over the steps of the epoch under way. Kept in checkpoints so that a resumed epoch reports the same means.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RunningTerms {
    /// Of each term.
    pub(crate) sums: Vec<f64>,
    /// The steps in which it was minimized.
    pub(crate) steps: Vec<u64>,
}

impl RunningTerms {
    pub(super) fn new(terms: usize) -> Self {
        Self { sums: vec![0.0; terms], steps: vec![0; terms] }
    }

    pub(super) fn add(&mut self, term: usize, value: f64) {
        self.sums[term] += value;
        self.steps[term] += 1;
    }

    pub(super) fn means(&self, terms: &Arc<[TermSpec]>) -> TermMeans {
        let mean = |(sum, steps): (&f64, &u64)| sum / (*steps).max(1) as f64;
        TermMeans::new(terms, self.sums.iter().zip(&self.steps).map(mean).collect())
    }
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
    /// Images a step.
    pub batch: u32,
    /// Means of this epoch so far.
    pub means: TermMeans,
}

/// What an epoch came to.
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
}
