//! What a model says of each item by itself: its terms, its bounds, and how much it is out of the ordinary.

use super::ImportanceBound;
use crate::Result;
use crate::data::Dataset;
use crate::graph::Device;
use crate::train::{Checkpoint, Evaluator, TermMeans};

/// The scores of a data set's items, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// `[items]`: each term of each item, unweighted, in the units that the terms name.
    pub terms: Vec<TermMeans>,
    /// `[items]`: the importance-weighted bound on `log p(x)`, in nats per item (Burda et al. 2015, equation 8); None where
    /// it was not asked for.
    pub bound: Option<Vec<f64>>,
    /// `[items]`: how much an item is out of the ordinary. The best bound on `-log p(x)` that there is, in nats per item: the
    /// importance-weighted one, else the negative ELBO, else the reconstruction term, in its unit; else what is minimized, as
    /// of an importance-weighted autoencoder.
    pub anomaly: Vec<f64>,
}

impl Scores {
    /// Scores `data`, with the same noise each time; the importance-weighted bound of `samples` samples per item, none for 0.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for samples of a model without a Gaussian code or a probability, and for no
    /// items; [`Error::Shape`](crate::Error::Shape) for items of another size.
    pub async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset, samples: u32) -> Result<Self> {
        checkpoint.check_images(data)?;
        let (model, seed) = (checkpoint.model()?, checkpoint.config.train.seed);
        let mut evaluator = Evaluator::new(device, &model, data, &checkpoint.transform, seed).await?;
        let terms = evaluator.each_of_checkpoint(checkpoint).await?;
        let bound = match samples {
            0 => None,
            _ => Some(ImportanceBound::estimate(device, checkpoint, data, samples).await?.each),
        };
        // Where nothing reconstructs, what is minimized is all there is.
        let anomaly = match &bound {
            Some(bound) => bound.iter().map(|bound| -bound).collect(),
            None => terms.iter().map(|item| item.explained().unwrap_or_else(|| item.objective())).collect(),
        };
        Ok(Self { terms, bound, anomaly })
    }

    /// The names of the columns of [`Self::row`]: the terms, `negative_elbo` and `importance_bound` where there are such, and
    /// `score`.
    pub fn columns(&self) -> Vec<String> {
        let Some(first) = self.terms.first() else { return Vec::new() };
        let terms = first.iter().map(|(term, _)| term.name.clone());
        let elbo = first.elbo().map(|_| "negative_elbo".to_owned());
        let bound = self.bound.as_ref().map(|_| "importance_bound".to_owned());
        terms.chain(elbo).chain(bound).chain(["score".to_owned()]).collect()
    }

    /// The numbers of item `at`, under [`Self::columns`].
    pub fn row(&self, at: usize) -> impl Iterator<Item = f64> {
        let terms = self.terms[at].iter().map(|(_, value)| value);
        let elbo = self.terms[at].elbo().map(|bound| -bound);
        let bound = self.bound.as_ref().map(|bound| bound[at]);
        terms.chain(elbo).chain(bound).chain([self.anomaly[at]])
    }

    /// The places of the `count` items that are most out of the ordinary, the first the most. One without a score, as NaN, is
    /// before all others.
    pub fn worst(&self, count: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.anomaly.len()).collect();
        let key = |at: &usize| (self.anomaly[*at].is_nan(), self.anomaly[*at]);
        places.sort_by(|a, b| {
            let ((a_nan, a), (b_nan, b)) = (key(a), key(b));
            b_nan.cmp(&a_nan).then(b.total_cmp(&a))
        });
        places.truncate(count);
        places
    }
}
