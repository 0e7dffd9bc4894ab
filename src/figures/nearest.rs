//! How near images are to the images of a set.

use faer::Mat;

// Rows of either side that are multiplied at once.
const ROWS: usize = 2048;

/// Euclidean distance from each image of `from` `[count, pixels]` to its `k` nearest of `to` `[others, pixels]`, least first:
/// `[count, k]`, where `k` is at most `others`. An image that is in both is its own nearest.
pub fn distances(from: &[f32], to: &[f32], pixels: usize, k: usize) -> Vec<f32> {
    let k = k.min(to.len() / pixels.max(1));
    let mut nearest = Vec::with_capacity(from.len() / pixels.max(1) * k);
    for rows in from.chunks(ROWS * pixels.max(1)) {
        let left = matrix(rows, pixels);
        let squares = norms(&left);
        let mut best = vec![Vec::with_capacity(k + 1); left.nrows()];
        for others in to.chunks(ROWS * pixels) {
            let right = matrix(others, pixels);
            let right_squares = norms(&right);
            let products = &left * right.transpose();
            for (row, best) in best.iter_mut().enumerate() {
                for (column, square) in right_squares.iter().enumerate() {
                    let square = squares[row] + square - 2.0 * products[(row, column)];
                    keep(best, square.max(0.0), k);
                }
            }
        }
        nearest.extend(best.into_iter().flatten().map(f32::sqrt));
    }
    nearest
}

fn matrix(images: &[f32], pixels: usize) -> Mat<f32> {
    Mat::from_fn(images.len() / pixels, pixels, |row, column| images[row * pixels + column])
}

fn norms(images: &Mat<f32>) -> Vec<f32> {
    (0..images.nrows()).map(|row| images.row(row).squared_norm_l2()).collect()
}

// Keeps the k least, in order.
fn keep(best: &mut Vec<f32>, value: f32, k: usize) {
    if best.len() < k || best.last().is_some_and(|last| value < *last) {
        let at = best.partition_point(|kept| *kept <= value);
        best.insert(at, value);
        best.truncate(k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_plain_loops() {
        let value = |seed: usize| ((seed * 7919 + 13) % 101) as f32 / 101.0;
        let (pixels, k) = (5, 3);
        let from: Vec<f32> = (0..4 * pixels).map(value).collect();
        let to: Vec<f32> = (0..7 * pixels).map(|at| value(at + 1000)).collect();
        let got = distances(&from, &to, pixels, k);
        for (row, image) in from.chunks(pixels).enumerate() {
            let distance =
                |other: &[f32]| image.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
            let mut all: Vec<f32> = to.chunks(pixels).map(distance).collect();
            all.sort_by(f32::total_cmp);
            for (got, expected) in got[row * k..][..k].iter().zip(&all) {
                assert!((got - expected).abs() < 1e-3, "{got} and not {expected}");
            }
        }
    }

    #[test]
    fn fewer_than_k_others_are_all_nearest() {
        assert_eq!(distances(&[0.0, 0.0], &[3.0, 4.0], 2, 5), [5.0]);
        assert!(distances(&[0.0, 0.0], &[], 2, 5).is_empty());
    }
}
