//! The subspace in which vectors vary most, to be compared with others and to bring other vectors to.

use faer::{Mat, Side};

use crate::report::sequentially;
use crate::{Error, Result};

/// The mean and the leading principal components of vectors, orthonormal, in the order of their variances.
#[derive(Clone, Debug)]
pub(super) struct Subspace {
    /// The mean, `[width]`.
    pub(super) mean: Vec<f64>,
    /// The components, `[width, count]`.
    pub(super) axes: Mat<f64>,
}

// Rows that are multiplied at once: whole data sets in f64 would fill the memory.
const ROWS: usize = 4096;

impl Subspace {
    /// Of vectors `[rows, width]`, the `count` leading components.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are fewer than `count` numbers in a vector, or no vector;
    /// [`Error::Setting`] where they are not finite.
    pub(super) fn fit(vectors: &[f32], width: usize, count: usize) -> Result<Self> {
        let rows = vectors.len().checked_div(width).unwrap_or(0);
        if rows == 0 || count > width {
            let got = format!("{rows} vectors of {width} numbers");
            return Err(Error::shape(
                "principal components",
                format!("vectors of {count} or more numbers"),
                got,
            ));
        }
        let mut mean = vec![0.0; width];
        for vector in vectors.chunks_exact(width) {
            for (sum, value) in mean.iter_mut().zip(vector) {
                *sum += f64::from(*value) / rows as f64;
            }
        }
        let eigen = sequentially(|| {
            let mut covariance = Mat::<f64>::zeros(width, width);
            for chunk in vectors.chunks(ROWS * width) {
                let x = centred(chunk, &mean);
                covariance += (x.transpose() * &x) * faer::Scale(1.0 / rows as f64);
            }
            covariance.self_adjoint_eigen(Side::Lower)
        })?;
        let eigen = eigen.map_err(|_| {
            Error::setting("principal components", "vectors of finite numbers", "some that are not")
        })?;
        // They come in ascending order of their variances.
        let basis = eigen.U();
        let axes = Mat::from_fn(width, count, |row, column| basis[(row, width - 1 - column)]);
        Ok(Self { mean, axes })
    }

    /// Coordinates `[rows, count]` of vectors `[rows, width]`.
    pub(super) fn project(&self, vectors: &[f32]) -> Vec<f32> {
        let coordinates = |chunk: &[f32]| -> Vec<f32> {
            let y = centred(chunk, &self.mean) * &self.axes;
            (0..y.nrows())
                .flat_map(|row| (0..y.ncols()).map(move |column| (row, column)))
                .map(|at| y[at] as f32)
                .collect()
        };
        vectors.chunks(ROWS * self.mean.len()).flat_map(coordinates).collect()
    }

    /// Vectors `[rows, width]` of coordinates `[rows, count]`.
    pub(super) fn restore(&self, coordinates: &[f32]) -> Vec<f32> {
        let (width, count) = (self.axes.nrows(), self.axes.ncols());
        let vector = |at: &[f32]| -> Vec<f32> {
            let along =
                |row: usize| (0..count).map(|axis| self.axes[(row, axis)] * f64::from(at[axis])).sum::<f64>();
            (0..width).map(|row| (self.mean[row] + along(row)) as f32).collect()
        };
        coordinates.chunks_exact(count).flat_map(vector).collect()
    }
}

fn centred(vectors: &[f32], mean: &[f64]) -> Mat<f64> {
    let width = mean.len();
    let value = |row: usize, column: usize| f64::from(vectors[row * width + column]) - mean[column];
    Mat::from_fn(vectors.len() / width, width, value)
}
