//! Sums of several matrices at once on the device, compared with the reference.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::nans;
use common::{check, gpu, integers, noise, run, words};
use narrows::kernels::Kernel;
use narrows::kernels::sums::{Matrix, Sums};
use narrows::reference::compare::Tolerance;

// Rows and columns. Up to 32 rows a lane is by itself; a workgroup takes 256 columns then, else 32.
const SHAPES: [(u32, u32); 12] = [
    (1, 1),
    (32, 3),
    (33, 5),
    (3, 257),
    (40, 33),
    (7, 256),
    (1, 1025),
    (784, 144),
    (129, 31),
    (2, 4),
    (31, 64),
    (4097, 9),
];

// These matrices, each in lines that leave room behind it, and their sums in reverse order, with gaps.
fn of(shapes: &[(u32, u32)]) -> Sums {
    let (mut parts, mut sums) = (8, 3);
    let mut matrices: Vec<Matrix> = Vec::new();
    for (number, (rows, columns)) in (0_u32..).zip(shapes.iter().copied()) {
        let line = columns.next_multiple_of(4) + number % 2 * 4;
        let accumulate = number % 3 == 1;
        matrices.push(Matrix { first: parts, rows, columns, line, to: 0, accumulate });
        parts += rows * line + 12;
    }
    for matrix in matrices.iter_mut().rev() {
        matrix.to = sums;
        sums += matrix.columns + 5;
    }
    Sums { parts, sums, matrices }
}

fn compared(kernel: &Sums, make: fn(u64, usize) -> Vec<f32>, within: Tolerance) {
    let before = words(&make(2, kernel.sums as usize));
    check(gpu(), kernel, &[words(&make(1, kernel.parts as usize))], &[Some(before)], within);
}

#[test]
fn sums_of_whole_numbers_are_exact_at_every_shape_alone_and_together() {
    for shape in SHAPES {
        compared(&of(&[shape]), integers, Tolerance::EXACT);
    }
    compared(&of(&SHAPES), integers, Tolerance::EXACT);
}

#[test]
fn sums_round_as_little_as_their_length_allows() {
    compared(&of(&SHAPES), noise, Tolerance::new(1e-4, 1e-6));
}

#[test]
fn a_dispatch_takes_as_many_matrices_as_it_says() {
    let most = [(5, 3); Sums::MOST];
    compared(&of(&most), integers, Tolerance::EXACT);
    let one_more = of(&[&most[..], &[(5, 3)]].concat());
    let refusal = one_more.check().map_or_else(|error| error.to_string(), |()| String::new());
    assert_eq!(refusal, "matrices to sum: expected between 1 and 16, got 17");
}

#[test]
fn matrices_beyond_the_parts_and_off_the_vec4s_are_refused() {
    let fine = of(&[(5, 3)]);
    assert!(fine.check().is_ok());
    let matrix = fine.matrices[0];
    let refusal = |matrix: Matrix| {
        let kernel = Sums { matrices: vec![matrix], ..fine.clone() };
        kernel.check().map_or_else(|error| error.to_string(), |()| String::new())
    };
    for (wrong, expected) in [
        (Matrix { rows: 0, ..matrix }, "rows of a matrix to sum: expected between 1 and 520000, got 0"),
        (Matrix { columns: 5, ..matrix }, "columns of a matrix to sum: expected between 1 and 4, got 5"),
        (Matrix { rows: 9, ..matrix }, "end of a matrix to sum: expected between 1 and 40, got 44"),
        (Matrix { to: 9, ..matrix }, "end of a matrix's sums: expected between 1 and 11, got 12"),
        (
            Matrix { first: 6, ..matrix },
            "beginning and line of a matrix to sum: expected multiples of four words, got 6 and 4",
        ),
    ] {
        assert_eq!(refusal(wrong), expected);
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    compared(&of(&[(1, 256 * 66_000), (34, 5)]), integers, Tolerance::EXACT);
}

#[test]
fn the_most_rows_are_summed_whole() {
    compared(&of(&[(Matrix::MAX_ROWS, 1)]), integers, Tolerance::EXACT);
}

#[test]
fn nan_reaches_the_sum_of_its_column_alone() {
    let kernel = of(&[(27, 51), (40, 3)]);
    let mut parts = integers(1, kernel.parts as usize);
    let matrix = kernel.matrices[1];
    parts[(matrix.first + 20 * matrix.line + 2) as usize] = f32::NAN;
    let before = Some(vec![0; kernel.sums as usize]);
    let sums = run(gpu(), &kernel, &[words(&parts)], &[before]).swap_remove(1);
    assert_eq!(nans(&sums), [matrix.to as usize + 2]);
}
