//! Weights, scaled row by row for each image, compared with the reference.
#![allow(missing_docs)]

mod common;

use common::{check, gpu, noise, words};
use narrows::kernels::spread::{Spread, SpreadResult};
use narrows::reference::compare::Tolerance;

const SHAPES: [(u32, u32, u32); 7] =
    [(1, 1, 1), (1, 3, 5), (3, 1, 7), (5, 4, 1), (3, 5, 64), (7, 3, 129), (65, 9, 33)];

fn kernel((rows, units, columns): (u32, u32, u32)) -> Spread {
    Spread { rows, units, columns, result: SpreadResult::Weights, accumulate: false }
}

// Scales, weights and a gradient.
fn operands(of: Spread) -> [Vec<u32>; 3] {
    let sizes = [of.rows * of.units, of.units * of.columns, of.rows * of.units * of.columns];
    [(1, sizes[0]), (2, sizes[1]), (3, sizes[2])].map(|(seed, size)| words(&noise(seed, size as usize)))
}

#[test]
fn scaled_weights_match_the_reference_written_and_added() {
    for shape in SHAPES {
        let [c, w, y] = operands(kernel(shape));
        for accumulate in [false, true] {
            let kernel = Spread { accumulate, ..kernel(shape) };
            let before = [accumulate.then(|| y.clone())];
            check(gpu(), &kernel, &[c.clone(), w.clone()], &before, Tolerance::new(2e-7, 2e-7));
        }
    }
}

#[test]
fn gradients_match_the_reference_written_and_added() {
    for shape in SHAPES {
        let of = kernel(shape);
        let [c, w, dy] = operands(of);
        for accumulate in [false, true] {
            let before = |content: &Vec<u32>| [accumulate.then(|| content.clone())];
            let scales = Spread { result: SpreadResult::ScalesGradient, accumulate, ..of };
            check(gpu(), &scales, &[w.clone(), dy.clone()], &before(&c), Tolerance::new(2e-6, 1e-6));
            let weight = Spread { result: SpreadResult::WeightGradient, accumulate, ..of };
            check(gpu(), &weight, &[c.clone(), dy.clone()], &before(&w), Tolerance::new(2e-6, 1e-6));
        }
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let tall = kernel((66_000, 3, 1));
    let [c, w, dy] = operands(tall);
    let scales = Spread { result: SpreadResult::ScalesGradient, ..tall };
    check(gpu(), &scales, &[w, dy], &[None], Tolerance::new(0.0, 2e-7));
    let wide = kernel((1, 3, 22_000 * 64));
    let [_, w, dy] = operands(wide);
    check(gpu(), &wide, &[c[..3].to_vec(), w], &[None], Tolerance::new(0.0, 2e-7));
    let weight = Spread { result: SpreadResult::WeightGradient, ..wide };
    check(gpu(), &weight, &[c[..3].to_vec(), dy], &[None], Tolerance::new(0.0, 2e-7));
}
