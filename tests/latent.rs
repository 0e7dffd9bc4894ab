//! The Gaussian code, compared with the reference at odd shapes.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::{self, CODES, EXTREME_CODES, dstats_before, nans, stats};
use common::{check, gpu, noise, run, words};
use narrows::kernels::latent::{LogRatio, Reparameterize, ReparameterizeBackward};
use narrows::kernels::{Gradient, floats};
use narrows::reference::compare::{Tolerance, compare};

// A deviation of up to e^2 times noise of up to 5, with the error of exp.
const SAMPLE: Tolerance = Tolerance::new(1e-5, 4e-6);
// Sums over a code of squares of samples, some of them a thousand, of either sign.
const RATIO: Tolerance = Tolerance::new(2e-3, 1e-5);

fn state() -> Vec<u32> {
    operands::state(0x7_dead_beef, 41)
}

fn sample((rows, latent): (u32, u32), instance: u32) -> Reparameterize {
    Reparameterize { rows, latent, instance, period: 0, first_block: instance % 5 }
}

fn dz((rows, latent): (u32, u32)) -> Vec<u32> {
    words(&noise(6, (rows * latent) as usize))
}

#[test]
fn samples_match_the_reference_at_every_shape() {
    for shape in CODES {
        for instance in [0, 3, u32::MAX] {
            let kernel = sample(shape, instance);
            check(gpu(), &kernel, &[state(), stats(shape)], &[None], SAMPLE);
        }
    }
}

#[test]
fn the_samples_gradient_matches_the_reference_written_and_added() {
    for (rows, latent) in CODES {
        for (accumulate, instance) in [(false, 0), (true, 0), (false, 3)] {
            let shape = (rows, latent);
            let kernel = ReparameterizeBackward { of: sample((rows, latent), instance), accumulate };
            let inputs = [state(), stats(shape), dz(shape)];
            check(gpu(), &kernel, &inputs, &[dstats_before(shape, accumulate)], SAMPLE);
        }
    }
}

#[test]
fn with_a_period_every_image_draws_what_the_first_does() {
    for ((rows, latent), samples) in [((7, 5), 1), ((12, 3), 2), ((65, 1), 1), ((6, 130), 3)] {
        let alike = Reparameterize { period: samples * latent, ..sample((rows, latent), 3) };
        let stats_of_all = stats((rows, latent));
        check(gpu(), &alike, &[state(), stats_of_all.clone()], &[None], SAMPLE);
        let backward = ReparameterizeBackward { of: alike, accumulate: false };
        let inputs = [state(), stats_of_all.clone(), dz((rows, latent))];
        check(gpu(), &backward, &inputs, &[dstats_before((rows, latent), false)], SAMPLE);
        let ratio = LogRatio { of: alike, gradient: None };
        check(gpu(), &ratio, &[state(), stats_of_all], &[None], RATIO);
        let zeros = vec![0; 2 * (rows * latent) as usize];
        let z = run(gpu(), &alike, &[state(), zeros], &[None]).swap_remove(2);
        let (first, others) = z.split_at((samples * latent) as usize);
        assert!(others.chunks(first.len()).all(|other| first.starts_with(other)), "{rows} x {latent}");
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let shape = (66_001, 1);
    let ratio = LogRatio { of: sample(shape, 0), gradient: None };
    check(gpu(), &ratio, &[state(), stats(shape)], &[None], RATIO);
    // 65,536 workgroups, and stats fills the largest binding of WebGPU's defaults.
    let shape = (65_536, 256);
    check(gpu(), &sample(shape, 0), &[state(), stats(shape)], &[None], SAMPLE);
}

#[test]
fn a_code_of_zero_mean_and_unit_variance_is_the_noise_itself() {
    let kernel = sample((100, 101), 0);
    let result = run(gpu(), &kernel, &[state(), words(&vec![0.0; 20_200])], &[None]);
    let z = floats(&result[2]);
    let mean = z.iter().sum::<f32>() / z.len() as f32;
    let variance = z.iter().map(|z| z * z).sum::<f32>() / z.len() as f32;
    assert!(mean.abs() < 0.03, "mean {mean}");
    assert!((variance - 1.0).abs() < 0.05, "variance {variance}");
}

#[test]
fn the_backward_pass_sees_the_noise_the_forward_pass_drew() {
    let (rows, latent) = (7, 13);
    let stats = words(&vec![0.0; 2 * 7 * 13]);
    let forward = run(gpu(), &sample((rows, latent), 0), &[state(), stats.clone()], &[None]);
    let backward = ReparameterizeBackward { of: sample((rows, latent), 0), accumulate: false };
    let dz = words(&vec![2.0; 7 * 13]);
    let gradient = run(gpu(), &backward, &[state(), stats, dz], &[None]);
    // With dz = 2 and unit variance, dlogvar is eps itself.
    let dlogvar: Vec<f32> = floats(&gradient[3]).chunks(13).skip(1).step_by(2).flatten().copied().collect();
    assert_eq!(compare(&dlogvar, floats(&forward[2]), Tolerance::EXACT), Ok(()));
}

#[test]
fn another_instance_step_or_seed_draws_other_noise() {
    let draw = |at: usize, instance: u32| {
        let mut state = state();
        if let Some(word) = state.get_mut(at) {
            *word += 1;
        }
        let kernel = sample((3, 5), instance);
        let inputs = [state, words(&[0.0; 30])];
        check(gpu(), &kernel, &inputs, &[None], SAMPLE);
        run(gpu(), &kernel, &inputs, &[None])[2].clone()
    };
    let same = draw(usize::MAX, 0);
    assert_eq!(same, draw(usize::MAX, 0));
    for (word, instance) in [(0, 0), (1, 0), (2, 0), (usize::MAX, 1)] {
        let other = draw(word, instance);
        let equal = same.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert_eq!(equal, 0, "state word {word}, instance {instance}");
    }
}

#[test]
fn extreme_codes_keep_their_precision() {
    let stats = words(EXTREME_CODES.as_flattened());
    check(gpu(), &sample((8, 1), 0), &[state(), stats], &[None], Tolerance::new(1e-6, 1e-5));
}

#[test]
fn a_log_variance_beyond_its_bounds_counts_as_the_bound_and_follows_only_what_leads_back() {
    let latent = 64;
    for (logvar, bound, led_back) in [(25.0, 20.0, 1.0), (1e30, 20.0, 1.0), (-31.0, -30.0, -1.0)] {
        let stats = |logvar: f32| words(&[vec![0.5; latent], vec![logvar; latent]].concat());
        let shape = (1, latent as u32);
        let (z, slopes) = {
            let backward = ReparameterizeBackward { of: sample(shape, 0), accumulate: false };
            let inputs = [state(), stats(logvar), dz(shape)];
            check(gpu(), &backward, &inputs, &[None], Tolerance::new(1e-9, 1e-5));
            let z = run(gpu(), &sample(shape, 0), &[state(), stats(logvar)], &[None]).swap_remove(2);
            (z, run(gpu(), &backward, &inputs, &[None]).swap_remove(3))
        };
        assert_eq!(z, run(gpu(), &sample(shape, 0), &[state(), stats(bound)], &[None])[2], "{logvar}");
        // A step goes against the slope.
        let slopes = &floats(&slopes)[latent..];
        assert!(
            slopes.iter().all(|slope| slope.is_finite() && slope * led_back >= 0.0),
            "{logvar}: {slopes:?}"
        );
        assert!(slopes.iter().any(|slope| *slope != 0.0) && slopes.contains(&0.0), "{logvar}: {slopes:?}");
    }
    let ratio =
        LogRatio { of: sample((3, 1), 0), gradient: Some(Gradient { scale: 1.0, accumulate: false }) };
    let stats = words(&[0.5, 25.0, 0.5, -31.0, 0.5, 1e30]);
    check(gpu(), &ratio, &[state(), stats], &[None, None], Tolerance::new(1e-4, 1e-5));
}

#[test]
fn nan_in_mu_or_logvar_reaches_its_code_alone() {
    let (rows, latent) = (3, 70);
    // Some drivers' exp of NaN is a number, so that a NaN in logvar may be lost, except in the log ratio.
    let holds = |found: Vec<usize>, expected: &[usize], sure: bool, what: &str| {
        assert!(found == expected || (!sure && found.is_empty()), "{what}: NaN at {found:?}");
    };
    // Element 5 of code 1: its mu, then its logvar.
    for (at, name) in [(145, "mu"), (215, "logvar")] {
        let mut stats = stats((rows, latent));
        stats[at] = f32::NAN.to_bits();
        let z = run(gpu(), &sample((rows, latent), 0), &[state(), stats.clone()], &[None]);
        let sure = name == "mu";
        holds(nans(&z[2]), &[75], sure, &format!("z, NaN in {name}"));
        let ratio = run(
            gpu(),
            &LogRatio { of: sample((rows, latent), 0), gradient: None },
            &[state(), stats.clone()],
            &[None],
        );
        holds(nans(&ratio[2]), &[1], true, &format!("log ratio, NaN in {name}"));
        let backward = ReparameterizeBackward { of: sample((rows, latent), 0), accumulate: false };
        let dz = words(&vec![1.0; 210]);
        let gradient = run(gpu(), &backward, &[state(), stats, dz], &[None]);
        let expected: &[usize] = if name == "mu" { &[] } else { &[215] };
        holds(nans(&gradient[3]), expected, sure, &format!("gradient, NaN in {name}"));
    }
}

#[test]
fn the_log_ratio_is_the_references_at_every_shape() {
    for (rows, latent) in CODES {
        let inputs = [state(), stats((rows, latent))];
        for instance in [0, 3] {
            check(
                gpu(),
                &LogRatio { of: sample((rows, latent), instance), gradient: None },
                &inputs,
                &[None],
                RATIO,
            );
            for accumulate in [false, true] {
                let gradient = Some(Gradient { scale: 0.7, accumulate });
                let kernel = LogRatio { of: sample((rows, latent), instance), gradient };
                let before = dstats_before((rows, latent), accumulate);
                check(gpu(), &kernel, &inputs, &[None, before], RATIO);
            }
        }
    }
}

#[test]
fn the_same_codes_give_the_same_bits() {
    let kernel = LogRatio { of: sample((5, 784), 0), gradient: None };
    let once = || run(gpu(), &kernel, &[state(), stats((5, 784))], &[None]);
    assert_eq!(once(), once());
}
