//! Principal components: the directions in which vectors vary most.

use faer::{Mat, Side};

use crate::{Error, Result};

/// The mean and the leading principal components of vectors.
#[derive(Clone, Debug)]
pub struct PrincipalComponents {
    /// The mean, `[width]`.
    pub mean: Vec<f64>,
    /// Orthonormal, in the order of their variances: `[width, count]`.
    pub axes: Mat<f64>,
    /// The variance along each.
    pub variances: Vec<f64>,
    /// The variance along all directions together.
    pub total: f64,
}

// Rows that are multiplied at once: whole data sets in f64 would fill the memory.
const ROWS: usize = 4096;

impl PrincipalComponents {
    /// Of vectors `[rows, width]`, the `count` leading components.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are fewer than `count` numbers in a vector, or no vector;
    /// [`Error::Setting`] where they are not finite.
    pub fn fit(vectors: &[f32], width: usize, count: usize) -> Result<Self> {
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
        let mut covariance = Mat::<f64>::zeros(width, width);
        for chunk in vectors.chunks(ROWS * width) {
            let x = centred(chunk, &mean);
            covariance += (x.transpose() * &x) * faer::Scale(1.0 / rows as f64);
        }
        let eigen = covariance.self_adjoint_eigen(Side::Lower).map_err(|_| {
            Error::setting("principal components", "vectors of finite numbers", "some that are not")
        })?;
        // They come in ascending order.
        let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
        let basis = eigen.U();
        let axes = Mat::from_fn(width, count, |row, column| basis[(row, width - 1 - column)]);
        let variances = values.iter().rev().take(count).copied().collect();
        Ok(Self { mean, axes, variances, total: values.iter().sum() })
    }

    /// The share of the variance that a component has.
    pub fn share(&self, component: usize) -> f64 {
        self.variances.get(component).copied().unwrap_or(0.0) / self.total.max(f64::MIN_POSITIVE)
    }

    /// Coordinates `[rows, count]` of vectors `[rows, width]`.
    pub fn project(&self, vectors: &[f32]) -> Vec<f32> {
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
    pub fn restore(&self, coordinates: &[f32]) -> Vec<f32> {
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
