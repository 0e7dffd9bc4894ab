//! Penalties that keep a code sparse, compared with the reference at odd shapes.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::nans;
use common::{check, gpu, noise, run, words};
use narrows::kernels::reduce::ColumnSum;
use narrows::kernels::sparsity::{Penalty, Sparsity};
use narrows::kernels::{Gradient, Kernel, floats};
use narrows::reference::compare::Tolerance;
use narrows::reference::sparsity::{kl, kl_slope};
use narrows_shaders::MAX_SHARED_ROW;

const SHAPES: [(u32, u32); 11] = [
    (1, 1),
    (1, 129),
    (129, 1),
    (3, 27),
    (27, 3),
    (64, 51),
    (2, 65),
    (129, 129),
    (5, 784),
    (32, 300),
    (3, 3000),
];

const CLOSE: Tolerance = Tolerance::new(2e-6, 4e-6);

const WHOLE: Option<Gradient> = Some(Gradient { scale: 1.0, accumulate: false });

fn l1((rows, columns): (u32, u32), accumulate: bool) -> Sparsity {
    Sparsity { rows, columns, penalty: Penalty::L1, gradient: Some(Gradient { scale: 0.37, accumulate }) }
}

fn sparsity((rows, columns): (u32, u32), accumulate: bool) -> Sparsity {
    Sparsity { penalty: Penalty::Kl { target: 0.1 }, ..l1((rows, columns), accumulate) }
}

// What dz holds beforehand.
fn before((rows, columns): (u32, u32), accumulate: bool) -> Option<Vec<u32>> {
    accumulate.then(|| words(&noise(7, (rows * columns) as usize)))
}

// Activations within (0, 1), most of them small, and their sums.
fn activations((rows, columns): (u32, u32)) -> Vec<f32> {
    noise(5, (rows * columns) as usize).iter().map(|n| 1e-3 + 0.998 * (0.5 + 0.5 * n).powi(3)).collect()
}

fn sums((rows, columns): (u32, u32)) -> Vec<u32> {
    let z = activations((rows, columns));
    let sum = |k: u32| z.iter().skip(k as usize).step_by(columns as usize).sum::<f32>();
    words(&(0..columns).map(sum).collect::<Vec<f32>>())
}

#[test]
fn values_without_gradient_are_the_same_bits() {
    for shape in SHAPES {
        let z = words(&activations(shape));
        for (read, with, without) in [
            (
                z,
                &l1(shape, false) as &dyn Kernel,
                &Sparsity { gradient: None, ..l1(shape, false) } as &dyn Kernel,
            ),
            (sums(shape), &sparsity(shape, false), &Sparsity { gradient: None, ..sparsity(shape, false) }),
        ] {
            let expected = run(gpu(), with, std::slice::from_ref(&read), &[None, None]);
            let got = run(gpu(), without, std::slice::from_ref(&read), &[None]);
            assert_eq!(got[1], expected[1], "{without:?}");
            check(gpu(), without, &[read], &[None], CLOSE);
        }
    }
}

#[test]
fn both_penalties_match_the_reference_written_and_added() {
    for shape in SHAPES {
        for accumulate in [false, true] {
            let before = [None, before(shape, accumulate)];
            // Zeros among the numbers, of which the sign is zero.
            let z: Vec<f32> = noise(3, (shape.0 * shape.1) as usize);
            let z: Vec<f32> = z.iter().map(|z| if *z > 0.7 { 0.0 } else { *z }).collect();
            check(gpu(), &l1(shape, accumulate), &[words(&z)], &before, CLOSE);
            check(gpu(), &sparsity(shape, accumulate), &[sums(shape)], &before, CLOSE);
        }
    }
}

#[test]
fn the_gradient_of_zero_is_zero_of_either_sign() {
    let got = run(gpu(), &l1((1, 4), false), &[words(&[0.0, -0.0, 1e-30, -1e-30])], &[None, None]);
    assert_eq!(floats(&got[2]), [0.0, 0.0, 0.37, -0.37]);
}

// By hand: the batch's penalty, and its gradient by one number of the code by central differences.
#[test]
fn the_penalty_is_of_the_batchs_means_and_its_gradient_that_of_the_sum_over_images() {
    let (rows, columns) = (5, 7);
    let kernel = Sparsity { gradient: WHOLE, ..sparsity((rows, columns), false) };
    let z = activations((rows, columns));
    let means = |z: &[f32]| -> Vec<f64> {
        let column = |k: usize| z.iter().skip(k).step_by(columns as usize).map(|z| f64::from(*z));
        (0..columns as usize).map(|k| column(k).sum::<f64>() / f64::from(rows)).collect()
    };
    let p = f64::from(0.1_f32);
    let penalty = |z: &[f32]| means(z).into_iter().map(|q| kl(p, q)).sum::<f64>();
    let sums = run(gpu(), &ColumnSum::whole(rows, columns), &[words(&z)], &[None]).swap_remove(1);
    let got = run(gpu(), &kernel, &[sums], &[None, None]);
    for value in floats(&got[1]) {
        assert!((f64::from(*value) - penalty(&z)).abs() < 1e-5, "{value}, not {}", penalty(&z));
    }
    for at in [0, 9, 34] {
        let moved = |by: f32| {
            let mut z = z.clone();
            z[at] += by;
            f64::from(rows) * penalty(&z)
        };
        let numeric = (moved(1e-3) - moved(-1e-3)) / 2e-3;
        let gradient = f64::from(floats(&got[2])[at]);
        assert!((gradient - numeric).abs() < 1e-2 * (1.0 + numeric.abs()), "{at}: {gradient}, not {numeric}");
    }
}

// Units that are always off or on, and means that come as near to the target as f32 does.
#[test]
fn extreme_activations_keep_their_precision_and_stay_finite() {
    let target = 0.1_f32;
    let means =
        [0.0, 1e-30, 1e-7, 1e-6, 2e-6, 1e-3, 0.0999, 0.09999999, target, 0.1000001, 0.13, 0.5, 0.999, 1.0];
    // One image, so that the sums are the means; one unit a row would share no rounding.
    for q in means {
        let kernel = Sparsity { rows: 1, columns: 1, penalty: Penalty::Kl { target }, gradient: WHOLE };
        let got = run(gpu(), &kernel, &[words(&[q])], &[None, None]);
        let (value, gradient) = (f64::from(floats(&got[1])[0]), f64::from(floats(&got[2])[0]));
        let (p, q) = (f64::from(target), f64::from(q));
        // Near the target the value is the square of a difference that f32 rounds.
        let near = (q - p).abs() * 1e-7 / p;
        assert!((value - kl(p, q)).abs() <= near + 4e-6 * kl(p, q), "{q}: {value}, not {}", kl(p, q));
        let slope = kl_slope(p, q);
        assert!((gradient - slope).abs() <= 1e-7 + 4e-6 * slope.abs(), "{q}: {gradient}, not {slope}");
        assert!(value >= 0.0 && value.is_finite() && gradient.is_finite());
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let shape = (66_001, 1);
    check(gpu(), &l1(shape, false), &[words(&noise(3, 66_001))], &[None, None], CLOSE);
    check(gpu(), &sparsity(shape, false), &[words(&[3_000.0])], &[None, None], CLOSE);
}

#[test]
fn the_widest_code_is_summed_whole() {
    let kernel = l1((1, MAX_SHARED_ROW), false);
    let got = run(gpu(), &kernel, &[words(&vec![-1.0; MAX_SHARED_ROW as usize])], &[None, None]);
    assert_eq!(floats(&got[1]), [MAX_SHARED_ROW as f32]);
}

#[test]
fn nan_in_a_code_is_seen() {
    let mut z = noise(3, 210);
    z[75] = f32::NAN;
    let got = run(gpu(), &l1((3, 70), false), &[words(&z)], &[None, None]);
    assert_eq!(nans(&got[1]), [1]);
    let mut sums = sums((3, 70));
    sums[5] = f32::NAN.to_bits();
    let got = run(gpu(), &sparsity((3, 70), false), &[sums], &[None, None]);
    assert!(floats(&got[1]).iter().all(|value| value.is_nan()), "{:?}", floats(&got[1]));
    assert_eq!(nans(&got[2]), [5, 75, 145]);
}

#[test]
fn a_target_that_is_no_share_is_refused() {
    for target in [0.0, 1.0, -0.1, f32::NAN] {
        let kernel = Sparsity { penalty: Penalty::Kl { target }, ..sparsity((2, 3), false) };
        assert!(kernel.check().is_err(), "{target}");
    }
}

#[test]
fn the_same_codes_give_the_same_bits() {
    let shape = (5, 784);
    let kernels: [(&dyn Kernel, Vec<u32>); 2] =
        [(&l1(shape, false), words(&activations(shape))), (&sparsity(shape, false), sums(shape))];
    for (kernel, input) in kernels {
        let once = || run(gpu(), kernel, std::slice::from_ref(&input), &[None, None]);
        assert_eq!(once(), once(), "{}", kernel.name());
    }
}
