//! Rows that repeat, and sums along rows, compared with the reference at odd shapes.
#![allow(missing_docs)]

mod common;

use common::{check, gpu, integers, noise, run, words};
use narrows::kernels::reduce::ColumnSum;
use narrows::kernels::rows::{Repeat, RowSum};
use narrows::kernels::{Kernel, floats};
use narrows::reference::compare::{Tolerance, compare};
use narrows_shaders::MAX_SHARED_ROW;

// Rows, columns, times.
const SHAPES: [(u32, u32, u32); 8] =
    [(1, 1, 1), (1, 5, 3), (3, 1, 4), (3, 7, 5), (5, 64, 1), (9, 65, 2), (2, 33, 129), (66_001, 1, 65)];

fn numbers(seed: u64, count: u32) -> Vec<u32> {
    words(&noise(seed, count as usize))
}

#[test]
fn repeated_rows_match_the_reference_written_and_added() {
    for (rows, columns, times) in SHAPES {
        let (x, y) = (numbers(1, rows * columns), numbers(2, rows * columns * times));
        for accumulate in [false, true] {
            let kernel = Repeat { rows, columns, times, scale: 0.7, accumulate };
            let before = [accumulate.then(|| y.clone())];
            check(gpu(), &kernel, std::slice::from_ref(&x), &before, Tolerance::new(1e-7, 2e-7));
        }
        let kernel = Repeat { rows, columns, times, scale: 1.0, accumulate: false };
        check(gpu(), &kernel, &[x], &[None], Tolerance::EXACT);
    }
}

#[test]
fn sums_along_rows_match_the_reference_written_and_added() {
    for (rows, columns) in [(1, 1), (3, 7), (5, 63), (7, 64), (9, 65), (4, 784), (66_001, 3), (2, 100_003)] {
        let (x, y) = (numbers(3, rows * columns), numbers(4, rows));
        for (scale, accumulate) in [(1.0 / columns as f32, false), (0.3, false), (0.3, true)] {
            let kernel = RowSum { rows, columns, scale, accumulate };
            let before = [accumulate.then(|| y.clone())];
            // Of numbers below one, in partial sums of which each rounds.
            let tolerance = Tolerance::new(1e-6 + 3e-8 * scale * columns as f32, 1e-6);
            check(gpu(), &kernel, std::slice::from_ref(&x), &before, tolerance);
        }
        let kernel = RowSum { rows, columns, scale: 1.0, accumulate: false };
        let x = words(&integers(5, (rows * columns) as usize));
        check(gpu(), &kernel, &[x], &[None], Tolerance::EXACT);
    }
}

#[test]
fn sums_of_repeated_rows_are_the_rows_that_often() {
    let (rows, columns, times) = (13, 5, 4);
    let x = integers(6, 65);
    let fourfold: Vec<f32> = x.iter().map(|x| 4.0 * x).collect();
    let repeat = Repeat { rows, columns, times, scale: 1.0, accumulate: false };
    let repeated = run(gpu(), &repeat, &[words(&x)], &[None])[1].clone();
    let sum = ColumnSum { rows: rows * times, columns, chunk: times, accumulate: false };
    let summed = run(gpu(), &sum, &[repeated], &[None])[1].clone();
    assert_eq!(compare(floats(&summed), &fourfold, Tolerance::EXACT), Ok(()));
}

#[test]
fn a_row_that_lanes_cannot_walk_is_refused() {
    let sum = |columns| RowSum { rows: 1, columns, scale: 1.0, accumulate: false }.check();
    assert!(sum(MAX_SHARED_ROW).is_ok());
    assert!(sum(MAX_SHARED_ROW + 1).is_err() && sum(0).is_err());
}
