//! How near images are to the images of a set.

use faer::Mat;

// Rows of either side that are multiplied at once.
const ROWS: usize = 2048;

/// Euclidean distance from each image of `from` `[count, pixels]` to its nearest of `to` `[others, pixels]`: `[count]`,
/// infinite without others. An image that is in both is its own nearest.
pub(super) fn nearest_distances(from: &[f32], to: &[f32], pixels: usize) -> Vec<f32> {
    let mut nearest = Vec::with_capacity(from.len() / pixels);
    for rows in from.chunks(ROWS * pixels) {
        let left = matrix(rows, pixels);
        let squares = norms(&left);
        let mut least = vec![f32::INFINITY; left.nrows()];
        for others in to.chunks(ROWS * pixels) {
            let right = matrix(others, pixels);
            let right_squares = norms(&right);
            let products = &left * right.transpose();
            for (row, least) in least.iter_mut().enumerate() {
                for (column, square) in right_squares.iter().enumerate() {
                    let square = squares[row] + square - 2.0 * products[(row, column)];
                    *least = least.min(square.max(0.0));
                }
            }
        }
        nearest.extend(least.into_iter().map(f32::sqrt));
    }
    nearest
}

fn matrix(images: &[f32], pixels: usize) -> Mat<f32> {
    Mat::from_fn(images.len() / pixels, pixels, |row, column| images[row * pixels + column])
}

fn norms(images: &Mat<f32>) -> Vec<f32> {
    (0..images.nrows()).map(|row| images.row(row).squared_norm_l2()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_plain_loops() {
        let value = |seed: usize| ((seed * 7919 + 13) % 101) as f32 / 101.0;
        let pixels = 5;
        let from: Vec<f32> = (0..4 * pixels).map(value).collect();
        let to: Vec<f32> = (0..7 * pixels).map(|at| value(at + 1000)).collect();
        let got = nearest_distances(&from, &to, pixels);
        for (image, got) in from.chunks(pixels).zip(got) {
            let distance =
                |other: &[f32]| image.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            let expected = to.chunks(pixels).map(distance).fold(f32::INFINITY, f32::min);
            assert!((got - expected).abs() < 1e-3, "{got} and not {expected}");
        }
    }

    #[test]
    fn an_image_is_its_own_nearest() {
        assert_eq!(nearest_distances(&[0.0, 0.0], &[3.0, 4.0], 2), [5.0]);
        assert_eq!(nearest_distances(&[0.0, 0.5], &[3.0, 4.0, 0.0, 0.5], 2), [0.0]);
        assert_eq!(nearest_distances(&[0.0, 0.0], &[], 2), [f32::INFINITY]);
    }
}
