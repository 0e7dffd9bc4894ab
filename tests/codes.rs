//! Codes: ways between them, walks and grids to decode, and which of their units are active.
#![cfg(feature = "train")]
#![allow(clippy::unwrap_used, missing_docs)]

use narrows::infer::{ActiveUnits, Interpolation, prior_codes, prior_grid, traversals};

const A: [f32; 3] = [3.0, 0.0, 0.0];
const B: [f32; 3] = [0.0, 0.0, -3.0];

fn close(got: &[f32], expected: &[f32]) -> bool {
    got.len() == expected.len()
        && got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-6)
}

#[test]
fn both_ways_begin_and_end_at_the_codes_themselves() {
    for way in [Interpolation::Linear, Interpolation::Spherical] {
        let codes = way.codes(&A, &B, 5);
        assert!(close(&codes[..3], &A) && close(&codes[12..], &B), "{way:?}: {codes:?}");
    }
}

#[test]
fn the_line_goes_through_the_middle_and_the_arc_keeps_its_distance() {
    assert!(close(&Interpolation::Linear.codes(&A, &B, 3)[3..6], &[1.5, 0.0, -1.5]));
    let half = 4.5_f32.sqrt();
    assert!(close(&Interpolation::Spherical.codes(&A, &B, 3)[3..6], &[half, 0.0, -half]));
}

#[test]
fn an_arc_without_a_plane_is_the_line() {
    let doubled = A.map(|a| 2.0 * a);
    let opposite = A.map(|a| -a);
    for b in [A, doubled, opposite, [0.0; 3]] {
        let arc = Interpolation::Spherical.codes(&A, &b, 4);
        assert!(close(&arc, &Interpolation::Linear.codes(&A, &b, 4)), "{b:?}: {arc:?}");
    }
}

#[test]
fn one_code_is_the_first() {
    assert!(close(&Interpolation::Linear.codes(&A, &B, 1), &A));
    assert!(Interpolation::Spherical.codes(&A, &B, 0).is_empty());
}

#[test]
fn a_grid_grows_to_the_right_and_upwards_and_leaves_other_numbers_zero() {
    let codes = prior_grid(2, 3, [2, 0]).unwrap();
    // The third quartile of a standard normal.
    let q = 0.674_489_75;
    assert_eq!(codes, [[q, 0.0, -q], [q, 0.0, q], [-q, 0.0, -q], [-q, 0.0, q]].concat());
    assert!(prior_grid(1, 2, [0, 1]).unwrap().iter().all(|middle| middle.abs() < 1e-12));
    for numbers in [[0, 0], [0, 3], [3, 1]] {
        let error = prior_grid(2, 3, numbers).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("dims: expected different numbers of the code, from 0 to 2, got {numbers:?}")
        );
    }
    assert!(prior_grid(2, 1, [0, 1]).is_err());
}

#[test]
fn a_walk_changes_one_number_from_end_to_end() {
    let codes = traversals(&[7.0, 8.0, 9.0], &[2, 0], &[[-1.0, 1.0], [0.0, 4.0]], 3).unwrap();
    let rows = [
        [7.0, 8.0, -1.0],
        [7.0, 8.0, 0.0],
        [7.0, 8.0, 1.0],
        [0.0, 8.0, 9.0],
        [2.0, 8.0, 9.0],
        [4.0, 8.0, 9.0],
    ];
    assert_eq!(codes, rows.concat());
    assert_eq!(traversals(&[7.0], &[0], &[[-1.0, 1.0]], 1).unwrap(), [-1.0]);
    assert!(traversals(&[7.0], &[1], &[[-1.0, 1.0]], 3).is_err());
    assert!(traversals(&[7.0], &[0], &[], 3).is_err());
}

#[test]
fn a_unit_that_hardly_moves_is_not_active() {
    // Two units that move, one that stays, and one just below the threshold.
    let row = |i: usize| {
        let sign = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        [2.0 + sign, -0.11 * sign, 5.0, 0.0999 * sign]
    };
    let codes: Vec<f32> = (0..100).flat_map(row).collect();
    let units = ActiveUnits::of(&codes, 4);
    assert_eq!(units.count(), 2);
    for (got, expected) in units.variances.iter().zip([1.0, 0.0121, 0.0, 0.00998001]) {
        assert!((got - expected).abs() < 1e-7, "{got}, not {expected}");
    }
}

#[test]
fn codes_of_the_prior_are_standard_normal_and_repeat() {
    let codes = prior_codes(3, 2_000, 5);
    assert_eq!(codes, prior_codes(3, 2_000, 5));
    assert_ne!(codes, prior_codes(4, 2_000, 5));
    assert_eq!(codes[..50], prior_codes(3, 10, 5));
    let mean = |f: fn(f64) -> f64| codes.iter().map(|z| f(f64::from(*z))).sum::<f64>() / codes.len() as f64;
    assert!(mean(|z| z).abs() < 0.04 && (mean(|z| z * z) - 1.0).abs() < 0.06);
}
