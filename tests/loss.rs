//! Likelihoods and their gradients, compared with the reference at odd shapes.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::{KINDS, nans};
use common::{check, gpu, noise, run, words};
use narrows::kernels::elementwise::{Elementwise, Function};
use narrows::kernels::loss::{Kind, Loss};
use narrows::kernels::{Gradient, Kernel, floats};
use narrows::reference::compare::{Tolerance, compare};
use narrows::reference::loss::LEAST_LOG_VARIANCE;
use narrows_shaders::MAX_SHARED_ROW;

const SHAPES: [(u32, u32); 12] = [
    (1, 1),
    (1, 784),
    (784, 1),
    (3, 27),
    (27, 3),
    (51, 64),
    (64, 51),
    (2, 65),
    (129, 129),
    (5, 784),
    (64, 128),
    (3, 3000),
];

// lavapipe stays within 1e-6; WGSL lets exp(8), the largest these shapes rest on, err by 19 ulp, 2e-6.
const CLOSE: Tolerance = Tolerance::new(4e-6, 4e-6);

fn kernel((rows, columns): (u32, u32), kind: Kind, accumulate: bool) -> Loss {
    Loss { rows, columns, kind, gradient: Some(Gradient { scale: 0.37, accumulate }) }
}

// Predictions in [-4, 4), images in [0, 1), a log variance of -1.3.
fn inputs(kernel: &Loss) -> Vec<Vec<u32>> {
    let pixels = (kernel.rows * kernel.columns) as usize;
    let y: Vec<f32> = noise(1, pixels).iter().map(|n| 4.0 * n).collect();
    let x: Vec<f32> = noise(2, pixels).iter().map(|n| 0.5 + 0.5 * n).collect();
    with_variance(kernel.kind, &y, &x, -1.3)
}

fn with_variance(kind: Kind, y: &[f32], x: &[f32], log_variance: f32) -> Vec<Vec<u32>> {
    let mut inputs = vec![words(y), words(x)];
    if kind == Kind::GaussianLearned {
        inputs.push(words(&[log_variance]));
    }
    inputs
}

// What the written operands hold beforehand: `dy` starts from `before`.
fn start(kind: Kind, before: Option<Vec<u32>>) -> Vec<Option<Vec<u32>>> {
    let mut start = vec![None, before];
    if kind == Kind::GaussianLearned {
        start.push(None);
    }
    start
}

#[test]
fn every_likelihood_matches_the_reference_at_every_shape() {
    for kind in KINDS {
        for shape in SHAPES {
            let kernel = kernel(shape, kind, false);
            check(gpu(), &kernel, &inputs(&kernel), &start(kind, None), CLOSE);
        }
    }
}

#[test]
fn accumulating_adds_the_gradient_and_still_writes_the_value() {
    for kind in KINDS {
        for shape in [(1, 1), (3, 27), (51, 129)] {
            let kernel = kernel(shape, kind, true);
            let before = words(&noise(3, (shape.0 * shape.1) as usize));
            check(gpu(), &kernel, &inputs(&kernel), &start(kind, Some(before)), CLOSE);
        }
    }
}

#[test]
fn values_without_gradient_are_the_same_bits() {
    for kind in KINDS {
        for shape in SHAPES.into_iter().chain([(66_001, 1)]) {
            let with = kernel(shape, kind, false);
            let without = Loss { gradient: None, ..with };
            let inputs = inputs(&with);
            let value = inputs.len();
            let expected = run(gpu(), &with, &inputs, &start(kind, None));
            let got = run(gpu(), &without, &inputs, &[None]);
            assert_eq!(got[value], expected[value], "{kind} {shape:?}");
            check(gpu(), &without, &inputs, &[None], CLOSE);
        }
    }
}

#[test]
fn more_than_65535_images_fold_into_two_dimensions() {
    for kind in KINDS {
        let kernel = kernel((66_001, 1), kind, false);
        check(gpu(), &kernel, &inputs(&kernel), &start(kind, None), CLOSE);
    }
}

#[test]
fn the_widest_image_is_summed_whole() {
    let kernel = kernel((1, MAX_SHARED_ROW), Kind::SquaredError, false);
    // Ones and zeros, whose sum f32 holds exactly.
    let y = vec![1.0; MAX_SHARED_ROW as usize];
    let x = vec![0.0; MAX_SHARED_ROW as usize];
    let result = run(gpu(), &kernel, &[words(&y), words(&x)], &[None, None]);
    assert_eq!(floats(&result[2]), [MAX_SHARED_ROW as f32]);
}

#[test]
fn extreme_predictions_keep_their_precision() {
    let logits = [100.0, -100.0, 100.0, -100.0, 30.0, -30.0, 88.0, -88.0, 0.0, 1e-6, 1000.0, -1000.0];
    let x = [1.0, 0.0, 0.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.25, 1.0, 1.0, 0.0];
    for kind in KINDS {
        // One pixel an image shows each value on its own.
        for (rows, columns) in [(1, 12), (12, 1)] {
            let kernel = kernel((rows, columns), kind, false);
            let inputs = with_variance(kind, &logits, &x, 8.0);
            check(gpu(), &kernel, &inputs, &start(kind, None), CLOSE);
        }
    }
}

#[test]
fn a_confident_right_answer_costs_almost_nothing_and_is_never_negative() {
    let logits: Vec<f32> = (0..=200).map(|i| i as f32 - 100.0).collect();
    let x: Vec<f32> = logits.iter().map(|l| if *l > 0.0 { 1.0 } else { 0.0 }).collect();
    let kernel = kernel((201, 1), Kind::Bernoulli, false);
    let inputs = [words(&logits), words(&x)];
    let result = run(gpu(), &kernel, &inputs, &[None, None]);
    let value = floats(&result[2]);
    let expected = common::expected(&kernel, &inputs, &[None, None]);
    // Drivers may flush what f32 holds only as a denormal, in exp a little before.
    let outcome = compare(value, floats(&expected[0]), Tolerance::new(2e-38, 1e-5));
    assert_eq!(outcome, Ok(()));
    assert!(value.iter().all(|nats| *nats >= 0.0), "{value:?}");
}

#[test]
fn nan_in_a_prediction_or_an_image_reaches_its_row_alone() {
    for kind in KINDS {
        for operand in [0, 1] {
            let kernel = kernel((3, 70), kind, false);
            let mut inputs = inputs(&kernel);
            inputs[operand][75] = f32::NAN.to_bits();
            let result = run(gpu(), &kernel, &inputs, &start(kind, None));
            let first = inputs.len();
            assert_eq!(nans(&result[first]), [1], "{kind}: value, NaN in operand {operand}");
            assert_eq!(nans(&result[first + 1]), [75], "{kind}: dy, NaN in operand {operand}");
            if kind == Kind::GaussianLearned {
                assert_eq!(nans(&result[first + 2]), [1], "{kind}: log variance, NaN in operand {operand}");
            }
        }
    }
}

#[test]
fn a_log_variance_of_nan_is_seen_in_the_loss() {
    let learned = kernel((2, 5), Kind::GaussianLearned, false);
    let result = run(
        gpu(),
        &learned,
        &with_variance(learned.kind, &[0.0; 10], &[1.0; 10], f32::NAN),
        &[None, None, None],
    );
    // The gradients see it through exp alone, and some drivers' exp of NaN is a number.
    assert!(floats(&result[3]).iter().all(|value| value.is_nan()), "{result:?}");
}

#[test]
fn a_learned_variance_has_a_floor_that_its_gradient_leads_back_to() {
    let kind = Kind::GaussianLearned;
    let learned = kernel((3, 70), kind, false);
    let x = noise(2, 210);
    let y: Vec<f32> = x.iter().zip(noise(4, 210)).map(|(x, n)| x + 1e-3 * n).collect();
    let least = LEAST_LOG_VARIANCE;
    for log_variance in [least + 1.0, least.next_up(), least, least.next_down(), least - 1.0, -40.0, -1e4] {
        let inputs = with_variance(kind, &y, &x, log_variance);
        // exp errs by 30 ulp where its argument is 14, and a slope of v is a difference of terms of 70.
        let close = Tolerance::new(1e-3, 1e-5);
        check(gpu(), &learned, &inputs, &start(kind, None), close);
        let exact = with_variance(kind, &x, &x, log_variance);
        let result = run(gpu(), &learned, &exact, &start(kind, None));
        let [value, slope] = [3, 5].map(|at| floats(&result[at])[0]);
        let falls = log_variance >= least;
        assert!(value.is_finite() && (slope > 0.0) == falls, "{log_variance}: {value}, {slope}");
    }
    let [low, least, high] = [-1.0, 0.0, 1.0].map(|step| kind.value(0.5, 0.5, f64::from(least) + step));
    assert!(low == least && high > least, "{low} {least} {high}");
}

#[test]
fn a_deviation_that_is_not_positive_or_has_no_square_is_refused() {
    for deviation in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-30, 1e30] {
        let kernel = kernel((2, 5), Kind::Gaussian { deviation }, false);
        assert!(kernel.check().is_err(), "{deviation}");
    }
}

#[test]
fn the_same_images_give_the_same_bits() {
    for kind in KINDS {
        let kernel = kernel((5, 784), kind, false);
        let once = || run(gpu(), &kernel, &inputs(&kernel), &start(kind, None));
        assert_eq!(once(), once(), "{kind}");
    }
}

#[test]
fn a_continuous_bernoullis_value_slope_and_mean_hold_from_tiny_to_huge_logits() {
    let mut logits: Vec<f32> = (-80..=80).map(|i| 10.0_f32.powf(i as f32 / 16.0)).collect();
    // Either side of where its two forms meet.
    logits.extend([0.0, 1e-30, 0.999_999, 1.0, 1.000_001, 3e4]);
    logits.extend(logits.clone().iter().map(|logit| -logit));
    let count = logits.len();
    for x in [0.0, 0.3, 1.0] {
        let kernel = kernel((count as u32, 1), Kind::ContinuousBernoulli, false);
        let inputs = [words(&logits), words(&vec![x; count])];
        // Both terms of a slope are of the size of one.
        check(gpu(), &kernel, &inputs, &[None, None], Tolerance::new(4e-7, 2e-6));
    }
    let mean = Elementwise { count: count as u32, function: Function::ContinuousMean, accumulate: false };
    check(gpu(), &mean, &[words(&logits)], &[None], Tolerance::new(1e-7, 5e-7));
}
