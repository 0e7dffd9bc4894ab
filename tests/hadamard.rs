//! Elementwise products with rows that repeat, compared with the reference.
#![allow(missing_docs)]

mod common;

use common::{check, gpu, noise, words};
use narrows::kernels::Kernel;
use narrows::kernels::hadamard::{Multiply, MultiplyBackward, RowProducts};
use narrows::reference::compare::Tolerance;

// Rows of s, columns, rows of p to each.
const SHAPES: [(u32, u32, u32); 7] =
    [(1, 1, 1), (1, 5, 3), (3, 1, 4), (3, 7, 5), (5, 64, 1), (9, 65, 2), (2, 33, 129)];

fn operands((rows, columns, repeat): (u32, u32, u32)) -> [Vec<u32>; 3] {
    let size = |repeat: u32| (rows * columns * repeat) as usize;
    [words(&noise(1, size(repeat))), words(&noise(2, size(1))), words(&noise(3, size(repeat)))]
}

// A product rounds once, and once more where it is added.
#[test]
fn products_match_the_reference_written_and_added() {
    for shape in SHAPES {
        let (rows, columns, repeat) = shape;
        let [p, s, before] = operands(shape);
        for accumulate in [false, true] {
            let kernel = Multiply { rows, columns, repeat, accumulate };
            let before = accumulate.then(|| before.clone());
            check(gpu(), &kernel, &[p.clone(), s.clone()], &[before], Tolerance::new(1e-7, 2e-7));
        }
    }
}

#[test]
fn gradients_match_the_reference_each_written_and_added() {
    for shape in SHAPES {
        let (rows, columns, repeat) = shape;
        let [p, s, dy] = operands(shape);
        for [accumulate, accumulate_s] in [[false, false], [true, false], [false, true]] {
            let kernel =
                MultiplyBackward { of: Multiply { rows, columns, repeat, accumulate }, accumulate_s };
            let before = [accumulate.then(|| dy.clone()), accumulate_s.then(|| s.clone())];
            let inputs = [p.clone(), s.clone(), dy.clone()];
            check(gpu(), &kernel, &inputs, &before, Tolerance::new(2e-6, 1e-6));
        }
    }
}

#[test]
fn numbers_and_rows_by_a_column_match_the_reference_written_and_added() {
    for (rows, columns) in [(1, 1), (3, 7), (7, 64), (9, 65), (5, 784), (129, 3), (2, 66_001), (66_001, 1)] {
        let count = rows * columns;
        let [p, y, s] = [(1, count), (2, count), (3, rows)].map(|(seed, n)| words(&noise(seed, n as usize)));
        for accumulate in [false, true] {
            let before = |content: &Vec<u32>| [accumulate.then(|| content.clone())];
            let close = Tolerance::new(1e-7, 2e-7);
            let numbers = Multiply::numbers(count, accumulate);
            check(gpu(), &numbers, &[p.clone(), y.clone()], &before(&p), close);
            check(
                gpu(),
                &Multiply::rows(rows, columns, accumulate),
                &[p.clone(), s.clone()],
                &before(&y),
                close,
            );
            let products = RowProducts { rows, columns, accumulate };
            // A sum over a row of products below one.
            let close = Tolerance::new(2e-6 + 5e-9 * columns as f32, 1e-6);
            check(gpu(), &products, &[p.clone(), y.clone()], &before(&s), close);
        }
    }
}

#[test]
fn a_row_that_lanes_cannot_walk_is_refused() {
    let products = |columns| RowProducts { rows: 1, columns, accumulate: false }.check();
    assert!(products(64 * 65_000).is_ok());
    assert!(products(64 * 65_000 + 1).is_err() && products(0).is_err());
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let shape = (64 * 66_000, 1, 1);
    let (rows, columns, repeat) = shape;
    let [p, s, dy] = operands(shape);
    let kernel = Multiply { rows, columns, repeat, accumulate: false };
    check(gpu(), &kernel, &[p.clone(), s.clone()], &[None], Tolerance::new(1e-7, 2e-7));
    let kernel =
        MultiplyBackward { of: Multiply { rows, columns, repeat, accumulate: false }, accumulate_s: false };
    check(gpu(), &kernel, &[p, s, dy], &[None, None], Tolerance::new(1e-7, 2e-7));
}
