//! Principal components: the directions in which points vary most.
//!
//! In f64, and on one thread where sums are taken, so that the same points give the same bits however many processors
//! there are.

use faer::{Mat, Side};

use super::Axis;
use crate::{Error, Result};

/// Principal component analysis: the mean of some points, and the directions in which they vary most.
///
/// The sign of a direction is arbitrary; here the largest of its entries is positive.
#[derive(Clone, Debug)]
pub struct Pca {
    /// The mean, `[dimensions]`.
    mean: Vec<f64>,
    /// The components, `[dimensions, components]`: orthonormal, but zero beyond the number of dimensions, and
    /// where fewer points than dimensions have no variance left.
    pub(crate) axes: Mat<f64>,
    /// The share of the points' whole variance that lies along each component, descending; 0 where there is none.
    pub explained: Vec<f64>,
}

// Points that are multiplied at once: whole data sets in f64 would fill the memory.
const ROWS: usize = 4096;

impl Pca {
    /// The `components` directions of most variance of `points` `[n, dimensions]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where `points` are no whole points, or none; [`Error::Setting`] where one is not finite.
    pub fn fit(points: &[f32], dimensions: usize, components: usize) -> Result<Self> {
        let count = check("PCA", points, dimensions)?;
        let mut mean = vec![0.0; dimensions];
        for point in points.chunks_exact(dimensions) {
            mean.iter_mut().zip(point).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        mean.iter_mut().for_each(|sum| *sum /= count as f64);
        let (variances, axes) = sequentially(|| principal(points, &mean, components))??;
        let whole: f64 = variances.iter().sum();
        let share = |variance: &f64| if whole > 0.0 { variance / whole } else { 0.0 };
        let mut explained: Vec<f64> = variances.iter().take(components).map(share).collect();
        explained.resize(components, 0.0);
        Ok(Self { mean, axes, explained })
    }

    /// Coordinates `[n, components]` of points `[n, dimensions]`: the points less the mean, projected.
    ///
    /// # Errors
    /// As [`Pca::fit`].
    pub fn project(&self, points: &[f32]) -> Result<Vec<f32>> {
        check("PCA", points, self.mean.len())?;
        let coordinates = |chunk: &[f32]| {
            let y = centred(chunk, &self.mean) * &self.axes;
            let at = |number: usize| y[(number / y.ncols(), number % y.ncols())] as f32;
            (0..y.nrows() * y.ncols()).map(at).collect::<Vec<f32>>()
        };
        sequentially(|| points.chunks(ROWS * self.mean.len()).flat_map(coordinates).collect())
    }

    /// The axis of a plot for component `number`, the first of which is 0.
    pub(crate) fn axis(&self, number: usize) -> Axis {
        let share = 100.0 * self.explained.get(number).copied().unwrap_or(0.0);
        Axis::new(format!("component {} ({share:.1} % of the variance)", number + 1))
    }

    /// Points `[n, dimensions]` of coordinates `[n, components]`.
    pub(crate) fn restore(&self, coordinates: &[f32]) -> Vec<f32> {
        let (dimensions, components) = (self.axes.nrows(), self.axes.ncols());
        let point = |at: &[f32]| -> Vec<f32> {
            let along = |row: usize| {
                (0..components).map(|axis| self.axes[(row, axis)] * f64::from(at[axis])).sum::<f64>()
            };
            (0..dimensions).map(|row| (self.mean[row] + along(row)) as f32).collect()
        };
        coordinates.chunks_exact(components.max(1)).flat_map(point).collect()
    }
}

// Sums of squares along all principal components, descending, and the leading ones. The eigenvectors of the smaller of
// x'x and xx' are sought, x being the centred points: xx' u = v u gives the direction x'u / sqrt(v).
fn principal(points: &[f32], mean: &[f64], components: usize) -> Result<(Vec<f64>, Mat<f64>)> {
    let dimensions = mean.len();
    let few = (points.len() / dimensions < dimensions).then(|| centred(points, mean));
    let product = match &few {
        Some(x) => x * x.transpose(),
        None => points.chunks(ROWS * dimensions).fold(Mat::zeros(dimensions, dimensions), |sum, chunk| {
            let x = centred(chunk, mean);
            sum + x.transpose() * &x
        }),
    };
    let eigen = product.self_adjoint_eigen(Side::Lower).map_err(|error| {
        let got = format!("points with which they do not: {error:?}");
        Error::setting("PCA", "points whose components converge", got)
    })?;
    // They come in ascending order. Rounding may leave what is zero below zero.
    let variances: Vec<f64> = eigen.S().column_vector().iter().rev().map(|value| value.max(0.0)).collect();
    let vectors = eigen.U().reverse_cols();
    // Of a variance below the rounding of the largest no direction is known.
    let noise = f64::EPSILON * variances.len() as f64 * variances.first().copied().unwrap_or(0.0);
    let mut axes = Mat::zeros(dimensions, components);
    for column in 0..components.min(variances.len()) {
        let axis = match &few {
            None => vectors.col(column).to_owned(),
            Some(x) => {
                let variance = variances[column];
                let inverse = if variance > noise { 1.0 / variance.sqrt() } else { 0.0 };
                (x.transpose() * vectors.col(column)) * faer::Scale(inverse)
            }
        };
        let longer = |most: f64, entry: &f64| if entry.abs() > most.abs() { *entry } else { most };
        let sign = if axis.iter().fold(0.0, longer) < 0.0 { -1.0 } else { 1.0 };
        for row in 0..dimensions {
            axes[(row, column)] = sign * axis[row];
        }
    }
    Ok((variances, axes))
}

fn centred(points: &[f32], mean: &[f64]) -> Mat<f64> {
    let dimensions = mean.len();
    let value = |row: usize, column: usize| f64::from(points[row * dimensions + column]) - mean[column];
    Mat::from_fn(points.len() / dimensions, dimensions, value)
}

/// How many points there are.
///
/// # Errors
/// [`Error::Shape`] where `points` are no whole points, or none; [`Error::Setting`] where one is not finite.
pub(super) fn check(operation: &str, points: &[f32], dimensions: usize) -> Result<usize> {
    if dimensions == 0 || points.is_empty() || !points.len().is_multiple_of(dimensions) {
        let expected = format!("at least one whole point of {dimensions} numbers");
        return Err(Error::shape(operation, expected, format!("{} numbers", points.len())));
    }
    if let Some(at) = points.iter().position(|value| !value.is_finite()) {
        let (row, column) = (at / dimensions, at % dimensions);
        let got = format!("{} as number {column} of point {row}", points[at]);
        return Err(Error::setting(operation, "finite numbers", got));
    }
    Ok(points.len() / dimensions)
}

/// Does work on one thread: with several, the order of sums changes from run to run.
pub(super) fn sequentially<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T> {
    let one = || rayon::ThreadPoolBuilder::new().num_threads(1);
    // Where the system allows no more threads, this one: the second time it is in a pool of its own already.
    match one().build().or_else(|_| one().use_current_thread().build()) {
        Ok(pool) => Ok(pool.install(work)),
        Err(_) if rayon::current_num_threads() == 1 => Ok(work()),
        Err(error) => Err(Error::setting("threads", "one that can be started", error)),
    }
}
