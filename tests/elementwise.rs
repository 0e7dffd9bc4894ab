//! Sums, exponentials and logarithms, compared with the reference at odd lengths.
#![allow(missing_docs)]

mod common;

use common::operands::nans;
use common::{check, gpu, noise, run, words};
use narrows::kernels::Kernel;
use narrows::kernels::elementwise::{Elementwise, Function};
use narrows::reference::compare::Tolerance;

const COUNTS: [u32; 7] = [1, 3, 63, 64, 65, 784, 10_001];
// Each product and each sum rounds once.
const SUM: Tolerance = Tolerance::new(3e-7, 3e-7);

fn numbers(seed: u64, count: u32) -> Vec<u32> {
    words(&noise(seed, count as usize))
}

// From e^-9 to e^9.
fn positive(count: u32) -> Vec<u32> {
    words(&noise(4, count as usize).iter().map(|x| (9.0 * x).exp()).collect::<Vec<f32>>())
}

#[test]
fn sums_match_the_reference_written_and_added() {
    for count in COUNTS {
        let [x, x2, y] = [1, 2, 3].map(|seed| numbers(seed, count));
        for accumulate in [false, true] {
            let before = [accumulate.then(|| y.clone())];
            for (a, b) in [(0.7, -1.3), (1.0, 0.0), (-2.0, 1.0)] {
                let affine = Elementwise { count, function: Function::Affine { a, b }, accumulate };
                check(gpu(), &affine, std::slice::from_ref(&x), &before, SUM);
                let sum = Elementwise { count, function: Function::WeightedSum { a, b }, accumulate };
                check(gpu(), &sum, &[x.clone(), x2.clone()], &before, SUM);
            }
        }
    }
}

#[test]
fn each_function_matches_the_reference_written_and_added() {
    for count in COUNTS {
        let [narrow, y] = [5, 3].map(|seed| numbers(seed, count));
        let wide = words(&noise(5, count as usize).iter().map(|x| 20.0 * x).collect::<Vec<f32>>());
        for accumulate in [false, true] {
            let before = [accumulate.then(|| y.clone())];
            // What a sum rounds, where one is made.
            let added = if accumulate { 2e-7 } else { 0.0 };
            for (function, x, absolute, relative) in [
                // The error that WGSL allows exp of 20.
                (Function::Exponential, &wide, 0.0, 5e-6),
                (Function::Logarithm, &positive(count), 1e-7, 4e-7),
                (Function::ContinuousMean, &wide, 1e-7, 1e-6),
                (Function::ContinuousMean, &narrow, 1e-7, 1e-6),
            ] {
                let kernel = Elementwise { count, function, accumulate };
                let within = Tolerance::new(absolute + 10.0 * added, relative);
                check(gpu(), &kernel, std::slice::from_ref(x), &before, within);
            }
        }
    }
}

#[test]
fn the_logarithms_gradient_matches_the_reference_written_and_added() {
    for count in COUNTS {
        let [dy, dx] = [6, 7].map(|seed| numbers(seed, count));
        for accumulate in [false, true] {
            let kernel = Elementwise { count, function: Function::LogarithmBackward, accumulate };
            let before = [accumulate.then(|| dx.clone())];
            check(gpu(), &kernel, &[positive(count), dy.clone()], &before, Tolerance::new(2e-7, 6e-7));
        }
    }
}

#[test]
fn a_logarithm_is_held_where_its_argument_is_no_positive_number() {
    let held = [0.0, -0.0, -1.0, 1e-45, f32::MIN_POSITIVE, f32::NEG_INFINITY, f32::INFINITY, f32::MAX];
    let logarithm = Elementwise { count: 5, function: Function::Logarithm, accumulate: false };
    check(gpu(), &logarithm, &[words(&held[..5])], &[None], Tolerance::new(0.0, 2e-7));
    let logarithm = Elementwise { count: 8, function: Function::Logarithm, accumulate: false };
    check(gpu(), &logarithm, &[words(&held)], &[None], Tolerance::new(0.0, 2e-7));
    let gradient = Elementwise { count: 5, function: Function::LogarithmBackward, accumulate: false };
    let dy = words(&[1.0, -2.0, 0.5, 1.0, -1.0]);
    check(gpu(), &gradient, &[words(&held[..5]), dy], &[None], Tolerance::new(0.0, 1e-6));
}

#[test]
fn nan_reaches_its_own_result_alone() {
    let count = 70;
    let mut x = positive(count);
    x[65] = f32::NAN.to_bits();
    let kernels: [(&dyn Kernel, usize); 5] = [
        (&Elementwise { count, function: Function::Affine { a: 0.5, b: 2.0 }, accumulate: false }, 1),
        (&Elementwise { count, function: Function::WeightedSum { a: 0.5, b: 2.0 }, accumulate: false }, 2),
        (&Elementwise { count, function: Function::Exponential, accumulate: false }, 1),
        (&Elementwise { count, function: Function::Logarithm, accumulate: false }, 1),
        (&Elementwise { count, function: Function::LogarithmBackward, accumulate: false }, 2),
    ];
    for (kernel, reads) in kernels {
        let inputs = [x.clone(), numbers(8, count)];
        let results = run(gpu(), kernel, &inputs[..reads], &[None]);
        assert_eq!(nans(&results[reads]), [65], "{kernel:?}");
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let count = 64 * 66_000;
    let x = numbers(1, count);
    let affine = Elementwise { count, function: Function::Affine { a: 0.5, b: 2.0 }, accumulate: false };
    check(gpu(), &affine, std::slice::from_ref(&x), &[None], SUM);
    let sum = Elementwise { count, function: Function::WeightedSum { a: 0.5, b: 2.0 }, accumulate: false };
    check(gpu(), &sum, &[x.clone(), x], &[None], SUM);
}
