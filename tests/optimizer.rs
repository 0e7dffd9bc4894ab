//! Gradient descent on the device, compared with the reference, one step and many.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::nans;
use common::{check, expected, gpu, noise, run, words};
use narrows::kernels::optimizer::{Descend, Optimizer};
use narrows::kernels::step::{Advance, RateSchedule, Scheduled};
use narrows::kernels::{Kernel, State, floats};
use narrows::reference::compare::{Tolerance, compare};

const COUNTS: [u32; 8] = [1, 3, 27, 51, 64, 129, 4097, 256 * 66_000];
const CLOSE: Tolerance = Tolerance::new(2e-7, 1e-6);
const BETAS: [f64; 2] = [0.9, 0.999];

fn sgd(count: u32, momentum: f32, weight_decay: f32) -> Descend {
    Descend { count, optimizer: Optimizer::Sgd { momentum, weight_decay } }
}

fn adam(count: u32, weight_decay: f32, decoupled: bool) -> Descend {
    let [beta1, beta2] = BETAS;
    Descend { count, optimizer: Optimizer::Adam { beta1, beta2, epsilon: 1e-8, weight_decay, decoupled } }
}

// Learning rate, and Adam's corrections of the first step.
fn rates() -> Vec<u32> {
    words(&[1e-2, (1.0 - BETAS[0]) as f32, (1.0 - BETAS[1]) as f32, 1.0])
}

// The operands of one step: gradients, then parameters and moments, of which the second is a square.
fn operands(kernel: &dyn Kernel) -> (Vec<u32>, Vec<Option<Vec<u32>>>) {
    let count = kernel.operands()[1].words;
    let squares: Vec<f32> = noise(4, count).iter().map(|x| x * x).collect();
    let written = [noise(2, count), noise(3, count), squares].map(|values| Some(words(&values)));
    (words(&noise(1, count)), written.into_iter().take(kernel.operands().len() - 2).collect())
}

#[test]
fn a_step_is_the_references_at_every_size() {
    for count in COUNTS {
        let kernels: [&dyn Kernel; 2] = [&sgd(count, 0.9, 1e-2), &adam(count, 1e-2, true)];
        for kernel in kernels {
            let (gradients, before) = operands(kernel);
            check(gpu(), kernel, &[rates(), gradients], &before, CLOSE);
        }
    }
}

#[test]
fn momentum_and_both_kinds_of_weight_decay_act() {
    let kernels: [&dyn Kernel; 6] = [
        &sgd(129, 0.0, 0.0),
        &sgd(129, 0.5, 0.0),
        &sgd(129, 0.0, 0.3),
        &adam(129, 0.0, false),
        &adam(129, 0.3, false),
        &adam(129, 0.3, true),
    ];
    let mut results: Vec<Vec<u32>> = Vec::new();
    for kernel in kernels {
        let (gradients, before) = operands(kernel);
        let inputs = [rates(), gradients];
        check(gpu(), kernel, &inputs, &before, CLOSE);
        results.push(run(gpu(), kernel, &inputs, &before).swap_remove(2));
    }
    for (i, result) in results.iter().enumerate() {
        assert!(!results[..i].contains(result), "setting {i} changes nothing");
    }
}

#[test]
fn zero_gradients_from_rest_leave_everything_as_it_is() {
    let parameters = words(&noise(2, 64));
    let zeros = vec![0; 64];
    let before = [Some(parameters.clone()), Some(zeros.clone()), Some(zeros.clone())];
    let kernels: [&dyn Kernel; 2] = [&sgd(64, 0.9, 0.0), &adam(64, 0.0, false)];
    for kernel in kernels {
        let before = &before[..kernel.operands().len() - 2];
        let got = run(gpu(), kernel, &[rates(), zeros.clone()], before);
        assert_eq!(got[2], parameters, "{}", kernel.name());
        assert!(got[3..].iter().all(|moment| *moment == zeros), "{}", kernel.name());
    }
}

// From rest, so that nothing cancels and the comparison can be relative at every magnitude.
#[test]
fn huge_and_tiny_gradients_make_the_references_steps() {
    let magnitudes = [1e19_f32, 1e12, 1e4, 1e-4, 1e-8, 1e-12, 1e-20, 1e-29, 1e-33, 1e-40];
    let gradients: Vec<f32> =
        noise(1, 400).iter().zip(magnitudes.iter().cycle()).map(|(x, m)| x * m).collect();
    let zeros = || Some(vec![0; 400]);
    let before = [zeros(), zeros(), zeros()];
    let kernels: [&dyn Kernel; 2] = [&sgd(400, 0.9, 0.0), &adam(400, 0.0, false)];
    for kernel in kernels {
        let before = &before[..kernel.operands().len() - 2];
        check(gpu(), kernel, &[rates(), words(&gradients)], before, Tolerance::new(2e-38, 2e-6));
    }
}

#[test]
fn moments_that_fade_become_zero_before_they_are_denormal() {
    let zeros = || vec![0; 64];
    let faded = words(&[1.05e-30; 64]);
    let before = [Some(zeros()), Some(faded.clone()), Some(faded)];
    let got = run(gpu(), &adam(64, 0.0, false), &[rates(), zeros()], &before);
    assert_eq!(got[3], zeros(), "the first moment, 0.945e-30");
    assert!(floats(&got[4]).iter().all(|v| *v > 1e-30), "the second moment, 1.049e-30");
}

#[test]
fn nan_in_a_gradient_reaches_the_parameter() {
    let kernels: [&dyn Kernel; 2] = [&sgd(64, 0.9, 0.0), &adam(64, 0.0, false)];
    for kernel in kernels {
        let (mut gradients, before) = operands(kernel);
        gradients[5] = f32::NAN.to_bits();
        let got = run(gpu(), kernel, &[rates(), gradients], &before);
        assert_eq!(nans(&got[2]), [5], "{}", kernel.name());
    }
}

// The device's rates, parameters and moments go from step to step on the device's side, the reference's
// on the reference's.
#[test]
fn many_steps_in_a_row_stay_the_references() {
    let count = 129;
    let rate =
        Scheduled::Rate { at: 0, every: 1, betas: BETAS, rate: 1e-2, schedule: RateSchedule::default() };
    let advance = Advance { batch: 2, count: 9, counts: true, rates: 4, scheduled: vec![rate], keeps: None };
    let state = || Some(State::new(1).words().to_vec());
    let kernels: [&dyn Kernel; 3] =
        [&sgd(count, 0.9, 1e-2), &adam(count, 1e-2, false), &adam(count, 1e-2, true)];
    for kernel in kernels {
        let (_, mut device) = operands(kernel);
        for moment in &mut device[1..] {
            *moment = moment.as_ref().map(|words| vec![0; words.len()]);
        }
        let mut cpu = device.clone();
        let (mut device_rates, mut cpu_rates) = (rates(), rates());
        for step in 0..20 {
            let gradients = words(&noise(100 + step, count.next_multiple_of(4) as usize));
            let written =
                run(gpu(), kernel, &[device_rates.clone(), gradients.clone()], &device).split_off(2);
            device = written.into_iter().map(Some).collect();
            cpu = expected(kernel, &[cpu_rates.clone(), gradients], &cpu).into_iter().map(Some).collect();
            device_rates = run(gpu(), &advance, &[], &[state(), Some(device_rates)]).swap_remove(1);
            cpu_rates = expected(&advance, &[], &[state(), Some(cpu_rates)]).swap_remove(1);
            for (got, expected) in device.iter().flatten().zip(cpu.iter().flatten()) {
                compare(floats(got), floats(expected), Tolerance::new(1e-6, 2e-6))
                    .unwrap_or_else(|mismatch| panic!("{} after step {step}: {mismatch}", kernel.name()));
            }
        }
    }
}
