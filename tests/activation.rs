//! Activations on their own, every one of them, compared with the reference.
#![allow(missing_docs)]

mod common;

use common::operands::nans;
use common::{check, gpu, noise, run, words};
use narrows::kernels::activation::{Activate, Activation, Pass};
use narrows::reference::compare::Tolerance;

const COUNTS: [u32; 7] = [1, 3, 27, 51, 64, 129, 4097];

// WGSL lets tanh err by 1e-5; the others rest on exp and on an erf good to 1.5e-7.
fn tolerance(activation: Activation) -> Tolerance {
    match activation {
        Activation::Identity | Activation::Relu => Tolerance::EXACT,
        Activation::LeakyRelu => Tolerance::new(0.0, 2e-7),
        Activation::Tanh => Tolerance::new(1e-5, 0.0),
        _ => Tolerance::new(1e-6, 2e-6),
    }
}

// Inputs in [-8, 8).
fn inputs(count: u32) -> Vec<f32> {
    noise(1, count as usize).iter().map(|x| 8.0 * x).collect()
}

// What the forward pass keeps of these inputs, by the reference.
fn kept(activation: Activation, z: &[f32]) -> Vec<f32> {
    let keep = |z: &f32| if activation.keeps_input() { *z } else { activation.value(f64::from(*z)) as f32 };
    z.iter().map(keep).collect()
}

#[test]
fn every_activation_matches_the_reference_at_every_size() {
    for activation in Activation::ALL {
        for count in COUNTS {
            let mut kernel = Activate { count, pass: Pass::Forward, activation, accumulate: false };
            check(gpu(), &kernel, &[words(&inputs(count))], &[None], tolerance(activation));
            kernel.accumulate = true;
            let before = Some(words(&noise(3, count as usize)));
            check(gpu(), &kernel, &[words(&inputs(count))], &[before], Tolerance::new(1e-5, 2e-6));
        }
    }
}

#[test]
fn every_slope_matches_the_reference_written_and_added() {
    for activation in Activation::ALL {
        for accumulate in [false, true] {
            for count in COUNTS {
                let kernel = Activate { count, pass: Pass::Backward, activation, accumulate };
                let kept = kept(activation, &inputs(count));
                let operands = [words(&noise(2, count as usize)), words(&kept)];
                let before = accumulate.then(|| words(&noise(3, count as usize)));
                check(gpu(), &kernel, &operands, &[before], Tolerance::new(1e-6, 2e-6));
            }
        }
    }
}

#[test]
fn slopes_alone_and_their_gradients_match_the_reference_written_and_added() {
    for activation in Activation::ALL {
        for count in COUNTS {
            let kept = words(&kept(activation, &inputs(count)));
            for accumulate in [false, true] {
                let before = [accumulate.then(|| words(&noise(3, count as usize)))];
                let kernel = Activate { count, pass: Pass::Slope, activation, accumulate };
                check(gpu(), &kernel, std::slice::from_ref(&kept), &before, Tolerance::new(1e-6, 2e-6));
                let kernel = Activate { count, pass: Pass::SlopeBackward, activation, accumulate };
                let operands = [kept.clone(), words(&noise(2, count as usize))];
                check(gpu(), &kernel, &operands, &before, Tolerance::new(1e-6, 2e-6));
            }
        }
    }
}

#[test]
fn extreme_inputs_keep_their_values_and_slopes() {
    let z = [1e4, -1e4, 100.0, -100.0, 30.0, -30.0, 0.0, -0.0, 1e-4, -1e-4, 1e-20, -1e-20];
    let count = z.len() as u32;
    for activation in Activation::ALL {
        check(
            gpu(),
            &Activate { count, pass: Pass::Forward, activation, accumulate: false },
            &[words(&z)],
            &[None],
            tolerance(activation),
        );
        let kernel = Activate { count, pass: Pass::Backward, activation, accumulate: false };
        let operands = [words(&[1.0; 12]), words(&kept(activation, &z))];
        check(gpu(), &kernel, &operands, &[None], Tolerance::new(1e-6, 2e-6));
        let [ones, kept] = operands;
        let kernel = Activate { count, pass: Pass::SlopeBackward, activation, accumulate: false };
        check(gpu(), &kernel, &[kept, ones], &[None], Tolerance::new(1e-6, 2e-6));
    }
}

#[test]
fn nan_goes_through_every_activation_and_every_slope_and_touches_nothing_else() {
    for activation in Activation::ALL {
        let mut z = inputs(70);
        z[5] = f32::NAN;
        let kernel = Activate { count: 70, pass: Pass::Forward, activation, accumulate: false };
        let y = run(gpu(), &kernel, &[words(&z)], &[None]).swap_remove(1);
        assert_eq!(nans(&y), [5], "{activation}");
        assert!(activation.value(f64::NAN).is_nan(), "{activation} of the reference");
        let mut dy = noise(2, 70);
        dy[6] = f32::NAN;
        let kernel = Activate { count: 70, pass: Pass::Backward, activation, accumulate: false };
        let operands = [words(&dy), words(&kept(activation, &inputs(70)))];
        let dx = run(gpu(), &kernel, &operands, &[None]).swap_remove(2);
        assert_eq!(nans(&dx), [6], "the slope of {activation}");
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let (count, activation) = (64 * 66_000, Activation::Relu);
    let x = words(&noise(1, count as usize));
    check(
        gpu(),
        &Activate { count, pass: Pass::Forward, activation, accumulate: false },
        std::slice::from_ref(&x),
        &[None],
        Tolerance::EXACT,
    );
    let kernel = Activate { count, pass: Pass::Backward, activation, accumulate: false };
    check(gpu(), &kernel, &[words(&noise(2, count as usize)), x.clone()], &[None], Tolerance::EXACT);
    check(
        gpu(),
        &Activate { count, pass: Pass::Slope, activation, accumulate: false },
        std::slice::from_ref(&x),
        &[None],
        Tolerance::EXACT,
    );
    let kernel = Activate { count, pass: Pass::SlopeBackward, activation, accumulate: false };
    check(gpu(), &kernel, &[x.clone(), x], &[None], Tolerance::EXACT);
}
