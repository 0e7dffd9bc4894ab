//! Points of many dimensions in the plane, by t-SNE.
//!
//! It runs on one thread where sums are taken, so that the same numbers and seed give the same bits however many
//! processors there are.

use bhtsne::{Neighbor, tSNE};
use rayon::prelude::*;

use super::principal::{Pca, check, sequentially};
use crate::rng::{Stream, key, normal_at};
use crate::{Error, Result};

/// The settings of t-SNE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tsne {
    /// About how many neighbours of a point attract it; at most a third of all others.
    pub perplexity: f32,
    /// Seed of the jitter of the first places.
    pub seed: u64,
    /// Steps of descent, the first 250 of which exaggerate the attraction by 12.
    pub steps: usize,
}

impl Default for Tsne {
    fn default() -> Self {
        Self { perplexity: 30.0, seed: 0, steps: 1000 }
    }
}

// Points of more dimensions are reduced to these many principal components first, as van der Maaten does: it removes
// noise from the distances, and they cost less.
const REDUCED: usize = 50;
// Barnes and Hut's criterion for when a group of points acts as one.
const THETA: f32 = 0.5;
const EXAGGERATION: f32 = 12.0;
const EXAGGERATED_STEPS: usize = 250;
// Of the first places along the first component: small as is usual, so that the attraction sorts them.
const FIRST_DEVIATION: f64 = 1e-4;
// Relative to that. Without it points that are equal would stay together.
const JITTER: f64 = 0.01;

impl Tsne {
    /// The usual settings, with a smaller perplexity where `points` are few.
    pub fn for_points(points: usize, seed: u64) -> Self {
        let usual = Self::default();
        Self { perplexity: usual.perplexity.min(Self::largest_perplexity(points)), seed, ..usual }
    }

    /// Places `[n, 2]` for `points` `[n, dimensions]`, so that near points stay near (van der Maaten and Hinton
    /// 2008, "Visualizing data using t-SNE", with the tree of van der Maaten 2014). Distances between groups, and the
    /// axes, mean little.
    ///
    /// It starts from the first two principal components (Kobak and Berens 2019) with the learning rate n / 12 (Belkina
    /// et al. 2019), at least 50.
    ///
    /// # Errors
    /// As [`Pca::fit`], and [`Error::Setting`] for a perplexity below 1 or above a third of the other points.
    pub fn places(&self, points: &[f32], dimensions: usize) -> Result<Vec<f32>> {
        let count = check("t-SNE", points, dimensions)?;
        let most = Self::largest_perplexity(count);
        if !(self.perplexity >= 1.0 && self.perplexity <= most) {
            let expected = format!("from 1 to {most:.1}, a third of the points but one");
            return Err(Error::setting("perplexity", expected, self.perplexity));
        }
        let reduced = if dimensions > REDUCED {
            Pca::fit(points, dimensions, REDUCED)?.project(points)?
        } else {
            points.to_vec()
        };
        let (reduced, dimensions) = (scaled(reduced), dimensions.min(REDUCED));
        let first = self.first(&Pca::fit(&reduced, dimensions, 2)?.project(&reduced)?);
        let nearest = neighbours(&reduced, dimensions, (3.0 * self.perplexity) as usize);
        let rows: Vec<&[f32]> = reduced.chunks_exact(dimensions).collect();
        sequentially(|| {
            tSNE::<f32, &[f32]>::new(&rows)
                .perplexity(self.perplexity)
                .epochs(self.steps)
                .early_exaggeration(EXAGGERATION)
                .stop_lying_epoch(EXAGGERATED_STEPS)
                .momentum_switch_epoch(EXAGGERATED_STEPS)
                .learning_rate((count as f32 / EXAGGERATION).max(50.0))
                .initial_embedding(first)
                .barnes_hut_with_neighbors(THETA, &nearest)
                .embedding()
        })
    }

    /// The largest perplexity for a number of points.
    pub fn largest_perplexity(points: usize) -> f32 {
        points.saturating_sub(1) as f32 / 3.0
    }

    fn first(&self, components: &[f32]) -> Vec<f32> {
        let squares = components.iter().step_by(2).map(|x| f64::from(*x).powi(2));
        let deviation = (squares.sum::<f64>() / (components.len() / 2) as f64).sqrt();
        let scale = if deviation > 0.0 { FIRST_DEVIATION / deviation } else { 0.0 };
        let place = |(at, component): (usize, &f32)| {
            let jitter = JITTER * FIRST_DEVIATION * normal_at(key(self.seed), 0, Stream::Initial, 0, at);
            (scale * f64::from(*component) + jitter) as f32
        };
        components.iter().enumerate().map(place).collect()
    }
}

// To at most 1, which changes nothing but keeps squares finite.
fn scaled(mut points: Vec<f32>) -> Vec<f32> {
    let largest = points.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    if largest > 0.0 {
        points.iter_mut().for_each(|value| *value /= largest);
    }
    points
}

/// The `count` nearest others of each point `[n, dimensions]`, the nearest first. Of others that are equally near, the
/// earlier comes first.
pub(crate) fn neighbours(points: &[f32], dimensions: usize, count: usize) -> Vec<Vec<Neighbor<f32>>> {
    let rows: Vec<&[f32]> = points.chunks_exact(dimensions).collect();
    let nearest = |index: usize| {
        let here = rows[index];
        let others = rows.iter().enumerate().filter(|(other, _)| *other != index);
        let square = |there: &[f32]| here.iter().zip(there).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let mut all: Vec<(f32, usize)> = others.map(|(other, there)| (square(there), other)).collect();
        let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if count < all.len() {
            all.select_nth_unstable_by(count, order);
            all.truncate(count);
        }
        all.sort_unstable_by(order);
        all.into_iter().map(|(square, index)| Neighbor { index, distance: square.sqrt() }).collect()
    };
    (0..rows.len()).into_par_iter().map(nearest).collect()
}
