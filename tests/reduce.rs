//! Column sums on the device, compared with the reference.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::nans;
use common::{check, gpu, integers, noise, run, words};
use narrows::kernels::reduce::ColumnSum;
use narrows::reference::compare::Tolerance;

const SHAPES: [(u32, u32); 18] = [
    (1, 1),
    (1, 4097),
    (4097, 1),
    (3, 27),
    (27, 3),
    (51, 64),
    (64, 51),
    (129, 129),
    (7, 33),
    (8, 32),
    (9, 31),
    (128, 784),
    (31, 36),
    (33, 4),
    (4097, 12),
    (5, 260),
    (200_000, 3),
    (ColumnSum::MAX_CHUNK, 1),
];

fn whole((rows, columns): (u32, u32)) -> ColumnSum {
    ColumnSum { rows, columns, chunk: rows, accumulate: false }
}

fn size(kernel: &ColumnSum) -> usize {
    kernel.rows as usize * kernel.columns as usize
}

#[test]
fn sums_of_whole_numbers_are_exact_at_every_shape() {
    for shape in SHAPES {
        let kernel = whole(shape);
        check(gpu(), &kernel, &[words(&integers(1, size(&kernel)))], &[None], Tolerance::EXACT);
    }
}

// The error of a running sum of noise grows with its length; eight lanes share it out.
#[test]
fn sums_round_as_little_as_their_length_allows() {
    for shape in SHAPES {
        let kernel = whole(shape);
        let within = Tolerance::new(1e-6 + 2e-8 * shape.0 as f32, 1e-6);
        check(gpu(), &kernel, &[words(&noise(1, size(&kernel)))], &[None], within);
    }
}

#[test]
fn accumulating_adds_to_what_is_there() {
    for shape in SHAPES {
        let kernel = ColumnSum { accumulate: true, ..whole(shape) };
        let before = words(&integers(2, shape.1 as usize));
        check(gpu(), &kernel, &[words(&integers(1, size(&kernel)))], &[Some(before)], Tolerance::EXACT);
    }
}

#[test]
fn chunks_have_sums_of_their_own_which_a_second_pass_completes() {
    for (rows, columns, chunk) in
        [(1, 1, 1), (129, 51, 64), (4097, 3, 27), (64, 33, 100), (128, 64, 1), (1000, 20, 99)]
    {
        let kernel = ColumnSum { rows, columns, chunk, accumulate: false };
        let a = words(&integers(1, size(&kernel)));
        check(gpu(), &kernel, std::slice::from_ref(&a), &[None], Tolerance::EXACT);
        let lines = run(gpu(), &kernel, std::slice::from_ref(&a), &[None]).swap_remove(1);
        let second = whole((rows.div_ceil(chunk), columns));
        let twice = run(gpu(), &second, &[lines], &[None]).swap_remove(1);
        let once = run(gpu(), &whole((rows, columns)), &[a], &[None]).swap_remove(1);
        assert_eq!(twice, once, "[{rows}, {columns}] by {chunk}");
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let wide = whole((2, 32 * 66_000));
    let tall = |columns, chunk| ColumnSum { rows: 66_000 * chunk, columns, chunk, accumulate: false };
    // Both entry points for short chunks, and both for long ones.
    for kernel in [wide, tall(2, 3), tall(4, 3), tall(3, 33), tall(4, 33)] {
        check(gpu(), &kernel, &[words(&integers(1, size(&kernel)))], &[None], Tolerance::EXACT);
    }
}

#[test]
fn nan_reaches_the_sum_of_its_column_alone() {
    let kernel = whole((27, 51));
    let mut a = integers(1, size(&kernel));
    a[20 * 51 + 7] = f32::NAN;
    let sums = run(gpu(), &kernel, &[words(&a)], &[None]).swap_remove(1);
    assert_eq!(nans(&sums), [7]);
}
