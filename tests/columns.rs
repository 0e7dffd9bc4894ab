//! Blocks of columns between arrays of different widths, compared with the reference exactly.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{check, gpu, integers, run, words};
use narrows::kernels::Kernel;
use narrows::kernels::columns::{Block, CopyColumns};
use narrows::reference::compare::{Tolerance, compare_words};

fn block(width: u32, first: u32) -> Block {
    Block { width, first }
}

fn array(seed: u64, rows: u32, width: u32) -> Vec<u32> {
    words(&integers(seed, (rows * width) as usize))
}

#[test]
fn blocks_match_the_reference_written_and_added() {
    for (rows, columns, source, destination) in [
        (1, 1, block(1, 0), block(1, 0)),
        (3, 5, block(5, 0), block(9, 4)),
        (7, 4, block(11, 6), block(4, 0)),
        (65, 3, block(10, 2), block(7, 3)),
        (129, 33, block(40, 7), block(65, 32)),
        (2, 784, block(785, 1), block(794, 10)),
        (66_001, 64, block(65, 1), block(64, 0)),
    ] {
        let (x, y) = (array(1, rows, source.width), array(2, rows, destination.width));
        for accumulate in [false, true] {
            let kernel = CopyColumns { rows, columns, source, destination, accumulate };
            check(gpu(), &kernel, std::slice::from_ref(&x), &[Some(y.clone())], Tolerance::EXACT);
        }
    }
}

#[test]
fn what_is_put_side_by_side_comes_apart_again() {
    let (rows, widths) = (13, [3, 1, 7]);
    let width = widths.iter().sum();
    let tensors: Vec<Vec<u32>> =
        widths.iter().zip(1..).map(|(width, seed)| array(seed, rows, *width)).collect();
    let mut joined = None;
    let mut first = 0;
    for (tensor, columns) in tensors.iter().zip(widths) {
        let (source, destination) = (block(columns, 0), block(width, first));
        let kernel = CopyColumns { rows, columns, source, destination, accumulate: false };
        joined = Some(run(gpu(), &kernel, std::slice::from_ref(tensor), &[joined])[1].clone());
        first += columns;
    }
    first = 0;
    for (tensor, columns) in tensors.iter().zip(widths) {
        let (source, destination) = (block(width, first), block(columns, 0));
        let kernel = CopyColumns { rows, columns, source, destination, accumulate: false };
        let apart = run(gpu(), &kernel, joined.as_slice(), &[None]);
        assert_eq!(compare_words(&apart[1], tensor), Ok(()));
        first += columns;
    }
}

#[test]
fn a_block_that_does_not_fit_is_refused() {
    let fits = |columns, source, destination| {
        CopyColumns { rows: 3, columns, source, destination, accumulate: false }.check()
    };
    assert!(fits(4, block(6, 2), block(9, 5)).is_ok());
    for (columns, source, destination, wrong) in [
        (4, block(6, 3), block(9, 5), "source"),
        (4, block(6, 2), block(9, 6), "destination"),
        (4, block(6, u32::MAX), block(9, 5), "source"),
    ] {
        let Err(error) = fits(columns, source, destination) else {
            panic!("{source:?} {destination:?} passes")
        };
        assert!(error.to_string().contains(wrong), "{error}");
    }
}
