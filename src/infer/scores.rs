//! What a model says of each item by itself: its terms, its bounds, and how much it is out of the ordinary.

use super::{ImportanceBound, Reconstructor};
use crate::data::Dataset;
use crate::graph::Device;
use crate::train::{Checkpoint, Evaluator, TermMeans};
use crate::{Error, Result};

const BOUND: &str = "importance_bound";
const ELBO: &str = "negative_elbo";

/// The scores of a data set's items, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// `[items]`: each term of each item, unweighted, in the units that the terms name.
    pub terms: Vec<TermMeans>,
    /// `[items]`: the importance-weighted bound on `log p(x)`, in nats per item (Burda et al. 2015, equation 8); None where
    /// it was not asked for.
    pub bound: Option<Vec<f64>>,
    /// `[items]`: the sum over pixels of the squared difference between an item and its reconstruction from E[z given x], in
    /// the model's scale.
    pub squared_error: Vec<f64>,
    /// `[items]`: how much an item is out of the ordinary. The best bound on `-log p(x)` that there is, in nats per item: the
    /// importance-weighted one, else the negative ELBO, else the reconstruction term, in its unit; else what is minimized, as
    /// of an importance-weighted autoencoder.
    pub anomaly: Vec<f64>,
    /// The column of [`Self::row`] that `anomaly` is of, or its negative; "objective" for what is minimized.
    pub by: String,
}

impl Scores {
    /// Scores `data`, with the same noise for each item and each time, so that an item's scores are its own wherever it stands; the
    /// importance-weighted bound of `samples` samples per item, none for 0.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) for samples of a model without a Gaussian code or a probability, and for no
    /// items; [`Error::Shape`](crate::Error::Shape) for items of another size.
    pub async fn new(device: &Device, checkpoint: &Checkpoint, data: &Dataset, samples: u32) -> Result<Self> {
        checkpoint.check_images(data)?;
        let (model, seed) = (checkpoint.model()?.drawing_alike(), checkpoint.config.train.seed);
        let mut evaluator = Evaluator::new(device, &model, data, &checkpoint.transform, seed).await?;
        let terms = evaluator.each_of_checkpoint(checkpoint).await?;
        let bound = match samples {
            0 => None,
            _ => Some(ImportanceBound::of(device, checkpoint, model.clone(), data, samples).await?.each),
        };
        let reconstructions = Reconstructor::new(device, checkpoint, data).await?.run().await?.images;
        let squared_error = squared_errors(checkpoint, data, &reconstructions);
        // Where nothing reconstructs, what is minimized is all there is.
        let anomaly = match &bound {
            Some(bound) => bound.iter().map(|bound| -bound).collect(),
            None => terms.iter().map(|item| item.explained().unwrap_or_else(|| item.objective())).collect(),
        };
        let by = usual(&terms, bound.is_some());
        Ok(Self { terms, bound, squared_error, anomaly, by })
    }

    /// The same with another column than the usual one as how much an item is out of the ordinary, the larger the more; of
    /// `importance_bound`, the smaller the more.
    ///
    /// # Errors
    /// [`Error::Setting`] for `by` with the columns that there are.
    pub fn by(mut self, column: &str) -> Result<Self> {
        let mut columns = self.columns();
        columns.pop();
        let Some(at) = columns.iter().position(|name| name == column) else {
            return Err(Error::setting("by", format!("one of the columns {}", columns.join(", ")), column));
        };
        let sign = if column == BOUND { -1.0 } else { 1.0 };
        let value = |item| self.row(item).nth(at).map_or(f64::NAN, |value| sign * value);
        self.anomaly = (0..self.anomaly.len()).map(value).collect();
        column.clone_into(&mut self.by);
        Ok(self)
    }

    /// The names of the columns of [`Self::row`]: the terms, `negative_elbo` and `importance_bound` where there are such,
    /// `squared_error` and `score`.
    pub fn columns(&self) -> Vec<String> {
        let Some(first) = self.terms.first() else { return Vec::new() };
        let terms = first.iter().map(|(term, _)| term.name.clone());
        let elbo = first.elbo().map(|_| ELBO.to_owned());
        let bound = self.bound.as_ref().map(|_| BOUND.to_owned());
        terms.chain(elbo).chain(bound).chain(["squared_error", "score"].map(str::to_owned)).collect()
    }

    /// The numbers of item `at`, under [`Self::columns`].
    pub fn row(&self, at: usize) -> impl Iterator<Item = f64> {
        let terms = self.terms[at].iter().map(|(_, value)| value);
        let elbo = self.terms[at].elbo().map(|bound| -bound);
        let bound = self.bound.as_ref().map(|bound| bound[at]);
        terms.chain(elbo).chain(bound).chain([self.squared_error[at], self.anomaly[at]])
    }

    /// How many items of `data` have a score that is not finite, and which is the first. None where all are.
    pub fn not_finite(&self, data: &Dataset) -> Option<String> {
        let mut places = (0..self.anomaly.len()).filter(|at| !self.anomaly[*at].is_finite());
        let (first, more) = (places.next()?, places.count());
        Some(format!(
            "{} of {} scores are not finite; the first is {} of {}: look for numbers far beyond those of training",
            more + 1,
            self.anomaly.len(),
            self.anomaly[first],
            data.called(first)
        ))
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

// The column that says how much an item is out of the ordinary, where none is asked for.
fn usual(terms: &[TermMeans], bounded: bool) -> String {
    let elbo = || terms.first()?.elbo().map(|_| ELBO);
    let reconstruction = || Some(terms.first()?.reconstruction()?.0.name.as_str());
    let column = if bounded { Some(BOUND) } else { elbo().or_else(reconstruction) };
    column.unwrap_or("objective").to_owned()
}

// In the scale that the model sees, in which columns of a table can be compared.
fn squared_errors(checkpoint: &Checkpoint, data: &Dataset, reconstructions: &[f32]) -> Vec<f64> {
    let (scaling, pixels) = (&checkpoint.transform.scaling, data.pixels());
    let scaled = |row: &[f32]| {
        let mut row = row.to_vec();
        scaling.scale(&mut row);
        row
    };
    let mut errors = Vec::with_capacity(data.len());
    let mut rows = reconstructions.chunks_exact(pixels);
    data.values.for_each_row(pixels, |row| {
        let (row, other) = (scaled(row), scaled(rows.next().unwrap_or(row)));
        errors.push(row.iter().zip(&other).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum());
    });
    errors
}
