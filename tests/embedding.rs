//! Points in two dimensions: principal components are right, and t-SNE keeps groups together.
#![cfg(feature = "plot")]
#![allow(clippy::unwrap_used, clippy::panic)]

use narrows::report::{Pca, Tsne};
use narrows::rng::{Stream, key, normal_at};

struct Found {
    coordinates: Vec<f32>,
    explained: Vec<f64>,
}

fn pca(points: &[f32], dimensions: usize, components: usize) -> narrows::Result<Found> {
    let found = Pca::fit(points, dimensions, components)?;
    Ok(Found { coordinates: found.project(points)?, explained: found.explained })
}

fn normal(seed: u64, at: usize) -> f32 {
    normal_at(key(seed), 0, Stream::Prior, 0, at) as f32
}

/// `count` points around each of `groups` centres that lie `apart` deviations from each other.
fn groups(groups: usize, count: usize, dimensions: usize, apart: f32) -> Vec<f32> {
    let value = |at: usize| {
        let (point, column) = (at / dimensions, at % dimensions);
        normal(1, at) + if column % groups == point / count { apart / 1.4 } else { 0.0 }
    };
    (0..groups * count * dimensions).map(value).collect()
}

/// Of the points, the share whose nearest other place is of the same group.
fn kept(places: &[f32], count: usize) -> f64 {
    let (places, _) = places.as_chunks::<2>();
    let square = |[a, b]: [f32; 2], [c, d]: [f32; 2]| (a - c).powi(2) + (b - d).powi(2);
    let same = (0..places.len()).filter(|here| {
        let others = (0..places.len()).filter(|there| there != here);
        let nearest = others
            .min_by(|a, b| square(places[*a], places[*here]).total_cmp(&square(places[*b], places[*here])));
        nearest.unwrap() / count == here / count
    });
    same.count() as f64 / places.len() as f64
}

#[test]
fn principal_components_are_the_axes_of_a_known_ellipsoid() {
    // Deviations 3, 2 and 1 along (2, 2, 1) / 3, (-2, 1, 2) / 3 and (1, -2, 2) / 3, around (5, 6, 7).
    let axes = [[2.0, 2.0, 1.0], [-2.0, 1.0, 2.0], [1.0, -2.0, 2.0]].map(|axis| axis.map(|x: f32| x / 3.0));
    let count = 4000;
    let along = |point: usize, axis: usize| (3 - axis) as f32 * normal(5, 3 * point + axis);
    let points: Vec<f32> = (0..count)
        .flat_map(|point| {
            (0..3).map(move |x| {
                (0..3).map(|axis| along(point, axis) * axes[axis][x]).sum::<f32>() + 5.0 + x as f32
            })
        })
        .collect();
    let found = pca(&points, 3, 2).unwrap();
    for (explained, expected) in found.explained.iter().zip([9.0 / 14.0, 4.0 / 14.0]) {
        assert!((explained - expected).abs() < 0.02, "{:?}", found.explained);
    }
    // Up to how well 4000 points tell the axes. The largest entry of each axis is positive, except of the second.
    for (point, place) in found.coordinates.chunks_exact(2).enumerate().take(100) {
        let expected = [along(point, 0), -along(point, 1)];
        let sign = if found.coordinates[1] * -along(0, 1) < 0.0 { -1.0 } else { 1.0 };
        assert!(
            (place[0] - expected[0]).abs() < 0.5 && (place[1] - sign * expected[1]).abs() < 0.5,
            "{place:?}"
        );
    }
    let mean: f64 = found.coordinates.iter().step_by(2).map(|x| f64::from(*x)).sum::<f64>() / count as f64;
    assert!(mean.abs() < 1e-5, "{mean}");
}

#[test]
fn few_points_of_many_dimensions_have_the_same_components() {
    // Once by the covariance, once, with as many zeros behind each point, by the points' products.
    let (count, dimensions) = (20, 6);
    let points: Vec<f32> =
        (0..count * dimensions).map(|at| (1 + at % dimensions) as f32 * normal(3, at)).collect();
    let wide: Vec<f32> =
        points.chunks_exact(dimensions).flat_map(|point| [point, &[0.0; 30]].concat()).collect();
    let [narrow, wide] = [pca(&points, dimensions, 3).unwrap(), pca(&wide, dimensions + 30, 3).unwrap()];
    for (a, b) in narrow.coordinates.iter().zip(&wide.coordinates) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
    for (a, b) in narrow.explained.iter().zip(&wide.explained) {
        assert!((a - b).abs() < 1e-9, "{a} and {b}");
    }
}

#[test]
fn components_beyond_what_there_is_are_zero() {
    let found = pca(&[1.0, 3.0, 2.0], 1, 2).unwrap();
    assert_eq!((found.coordinates, found.explained), (vec![-1.0, 0.0, 1.0, 0.0, 0.0, 0.0], vec![1.0, 0.0]));
    let equal = pca(&[4.0; 6], 2, 2).unwrap();
    assert_eq!((equal.coordinates, equal.explained), (vec![0.0; 6], vec![0.0; 2]));
    assert_eq!(pca(&[7.0, 8.0], 2, 2).unwrap().coordinates, [0.0; 2]);
}

#[test]
fn what_is_no_point_is_refused() {
    let tsne = |points: &[f32], dimensions| Tsne::default().places(points, dimensions).map(|_| ());
    let pca = |points: &[f32], dimensions| pca(points, dimensions, 2).map(|_| ());
    for (points, dimensions) in [(&[][..], 2), (&[1.0, 2.0, 3.0], 2), (&[1.0], 0)] {
        for refused in [tsne(points, dimensions), pca(points, dimensions)] {
            assert!(matches!(refused, Err(narrows::Error::Shape { .. })));
        }
    }
    for value in [f32::NAN, f32::INFINITY] {
        let error = pca(&[0.0, 1.0, value, 2.0], 2).unwrap_err().to_string();
        assert_eq!(error, format!("PCA: expected finite numbers, got {value} as number 0 of point 1"));
    }
    let error = tsne(&[0.0; 20], 2).unwrap_err().to_string();
    assert_eq!(error, "perplexity: expected from 1 to 3.0, a third of the points but one, got 30");
    let small = Tsne { perplexity: 0.5, ..Tsne::default() };
    assert!(small.places(&[0.0; 20], 2).is_err());
}

#[test]
fn groups_of_many_dimensions_stay_groups() {
    let count = 60;
    let points = groups(4, count, 60, 4.0);
    let places = Tsne { perplexity: 15.0, ..Tsne::default() }.places(&points, 60).unwrap();
    assert_eq!(places.len(), 2 * 4 * count);
    let share = kept(&places, count);
    assert!(share > 0.99, "{share}");
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_one_others() {
    let points = groups(3, 30, 5, 3.0);
    let places = |seed| Tsne { perplexity: 10.0, seed, steps: 300 }.places(&points, 5).unwrap();
    let first = places(1);
    assert_eq!(first, places(1));
    assert_ne!(first, places(2));
}

#[test]
fn equal_points_and_large_ones_have_finite_places() {
    let tsne = Tsne { perplexity: 3.0, seed: 0, steps: 300 };
    let far: Vec<f32> = groups(2, 10, 3, 3.0).iter().map(|x| x * 1e30).collect();
    for points in [vec![7.0; 60], [vec![1.0; 30], vec![2.0; 30]].concat(), far] {
        let places = tsne.places(&points, 3).unwrap();
        assert!(places.iter().all(|place| place.is_finite()), "{places:?}");
    }
    // The fewest there can be.
    assert_eq!(Tsne { perplexity: 1.0, ..tsne }.places(&[0.0, 1.0, 2.0, 3.0], 1).unwrap().len(), 8);
}
