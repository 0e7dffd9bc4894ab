//! Groups of rows, each reduced to one row, compared with the reference at odd shapes.
#![allow(missing_docs)]

mod common;

use common::operands::nans;
use common::{check, expected, gpu, noise, run, words};
use narrows::kernels::group::{LogSumExp, LogSumExpBackward};
use narrows::kernels::{Kernel, floats};
use narrows::reference::compare::{Tolerance, compare};
use narrows_shaders::MAX_ROUNDS;

// Groups, rows to a group, columns.
const SHAPES: [(u32, u32, u32); 9] = [
    (1, 1, 1),
    (1, 5, 3),
    (3, 1, 4),
    (3, 7, 5),
    (5, 64, 1),
    (9, 65, 2),
    (100, 50, 1),
    (2, 129, 33),
    (2, 5000, 1),
];

// A sum of size shares, each with the error of exp.
const VALUE: Tolerance = Tolerance::new(1e-5, 2e-6);
const SHARE: Tolerance = Tolerance::new(3e-7, 1e-5);

fn sum((groups, size, columns): (u32, u32, u32), mean: bool) -> LogSumExp {
    LogSumExp { groups, size, columns, mean }
}

fn backward(shape: (u32, u32, u32), accumulate: bool) -> LogSumExpBackward {
    LogSumExpBackward { of: sum(shape, false), accumulate }
}

// Log weights: far below zero, and far from each other.
fn weights((groups, size, columns): (u32, u32, u32), spread: f32) -> Vec<u32> {
    let numbers = noise(1, (groups * size * columns) as usize);
    words(&numbers.iter().map(|x| spread * x - 90.0).collect::<Vec<f32>>())
}

fn gradient(seed: u64, count: u32) -> Vec<u32> {
    words(&noise(seed, count as usize))
}

#[test]
fn logarithms_of_sums_and_means_match_the_reference() {
    for shape in SHAPES {
        for (spread, mean) in [(1.0, false), (30.0, false), (30.0, true)] {
            check(gpu(), &sum(shape, mean), &[weights(shape, spread)], &[None, None], VALUE);
        }
    }
}

#[test]
fn their_gradient_matches_the_reference_written_and_added() {
    for shape in SHAPES {
        let (groups, size, columns) = shape;
        let x = weights(shape, 5.0);
        let parts = expected(&sum(shape, true), std::slice::from_ref(&x), &[None, None])[1].clone();
        let (dy, dx) = (gradient(2, groups * columns), gradient(3, groups * size * columns));
        for accumulate in [false, true] {
            let before = [accumulate.then(|| dx.clone())];
            let inputs = [x.clone(), parts.clone(), dy.clone()];
            check(gpu(), &backward(shape, accumulate), &inputs, &before, SHARE);
        }
    }
}

// Of a device's own parts: shares add up to one, and rounding of a large value takes nothing from them.
#[test]
fn a_groups_shares_of_the_gradient_add_up_to_it() {
    for (size, shift) in [(3, 0.0), (50, -1e5), (50, 1e5)] {
        let shape = (7, size, 3);
        let x = words(&noise(4, 21 * size as usize).iter().map(|x| x + shift).collect::<Vec<f32>>());
        let parts = run(gpu(), &sum(shape, false), std::slice::from_ref(&x), &[None, None])[2].clone();
        let dx = run(gpu(), &backward(shape, false), &[x, parts, words(&[1.0; 21])], &[None]);
        for group in floats(&dx[3]).chunks(3 * size as usize) {
            for column in 0..3 {
                let whole: f32 = group.iter().skip(column).step_by(3).sum();
                assert!((whole - 1.0).abs() < 1e-5, "{size} rows at {shift}: {whole}");
            }
        }
    }
}

#[test]
fn infinities_are_what_they_mean() {
    let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
    let shape = (8, 3, 1);
    let x = [
        [low, low, low],
        [low, 2.0, low],
        [1.0, low, 1.0],
        [high, 0.0, low],
        [0.0, high, high],
        [f32::MIN, f32::MIN, low],
        [f32::MAX, 0.0, f32::MIN],
        [-3e38, 3e38, 0.0],
    ];
    let x = words(x.as_flattened());
    let inputs = [x.clone()];
    check(gpu(), &sum(shape, true), &inputs, &[None, None], VALUE);
    let parts = expected(&sum(shape, true), &inputs, &[None, None])[1].clone();
    check(gpu(), &backward(shape, false), &[x, parts, gradient(5, 8)], &[None], SHARE);
}

#[test]
fn nan_reaches_its_own_group_alone_and_all_of_its_gradient() {
    let shape = (3, 4, 2);
    for row in 4..8 {
        // A row of the middle group, its second column.
        let mut x = weights(shape, 1.0);
        x[row * 2 + 1] = f32::NAN.to_bits();
        let forward = run(gpu(), &sum(shape, false), std::slice::from_ref(&x), &[None, None]);
        assert_eq!(nans(&forward[1]), [3], "row {row}");
        let inputs = [x, forward[2].clone(), words(&[1.0; 6])];
        let dx = run(gpu(), &backward(shape, false), &inputs, &[None]);
        assert_eq!(nans(&dx[3]), [9, 11, 13, 15], "row {row}");
    }
}

#[test]
fn the_largest_group_is_summed_to_its_end_and_a_larger_one_refused() {
    let shape = (1, MAX_ROUNDS, 1);
    let mut x = vec![0.0_f32; MAX_ROUNDS as usize];
    x[MAX_ROUNDS as usize - 1] = 12.0;
    let value = run(gpu(), &sum(shape, false), &[words(&x)], &[None, None])[1].clone();
    let whole = (12.0_f64.exp() + f64::from(MAX_ROUNDS) - 1.0).ln() as f32;
    assert_eq!(compare(floats(&value), &[whole], Tolerance::new(0.0, 1e-6)), Ok(()));
    assert!(sum((1, MAX_ROUNDS + 1, 1), false).check().is_err());
    assert!(sum((1, 0, 1), false).check().is_err());
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let shape = (64 * 22_000, 3, 1);
    let x = weights(shape, 1.0);
    check(gpu(), &sum((64 * 66_000, 1, 1), true), std::slice::from_ref(&x), &[None, None], VALUE);
    let parts = expected(&sum(shape, false), std::slice::from_ref(&x), &[None, None])[1].clone();
    let inputs = [x, parts, gradient(6, 64 * 22_000)];
    check(gpu(), &backward(shape, false), &inputs, &[None], SHARE);
}
