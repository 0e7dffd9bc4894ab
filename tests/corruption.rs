//! Corrupted images: the device's noise is the CPU's, and the clean images beside it are the gather's.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::numeric::close;
use common::operands::{images, state};
use common::{check, gpu, noise, run, words};
use narrows::kernels::batch::{Gather, Rows};
use narrows::kernels::corruption::{Corrupt, Corruption};
use narrows::kernels::{Kernel, floats};
use narrows::reference::compare::Tolerance;
use narrows::reference::moments::Moments;
use narrows::rng::{Stream, philox};

const KINDS: [Corruption; 4] = [
    Corruption::Gaussian { deviation: 0.2 },
    Corruption::Dropout { probability: 0.5, rescale: true },
    Corruption::Dropout { probability: 0.3, rescale: false },
    Corruption::SaltAndPepper { probability: 0.4 },
];

fn kernel(batch: u32, pixels: u32, corruption: Corruption) -> Corrupt {
    Corrupt {
        gather: Gather { batch, first: 0, count: 51, pixels, center: false, rows: Rows::Bytes },
        corruption,
        instance: 0,
        first_place: 0,
    }
}

fn inputs(kernel: &Corrupt, seed: u64, step: u32) -> Vec<Vec<u32>> {
    let Gather { batch, count, pixels, center, .. } = kernel.gather;
    let chosen = (0..batch).map(|i| (i * 37 + count - 1) % count).collect();
    let mut inputs = vec![state(seed, step), images(count, pixels), chosen];
    if center {
        inputs.push(words(&noise(1, pixels as usize)));
    }
    inputs
}

// Which pixels are lost depends on no rounding; a normal is exact to some f32 steps of its radius.
fn tolerance(corruption: Corruption) -> Tolerance {
    match corruption {
        Corruption::Gaussian { .. } => Tolerance::new(1e-6, 0.0),
        _ => Tolerance::new(0.0, 2.0 * f32::EPSILON),
    }
}

#[test]
fn the_device_corrupts_as_the_cpu_does_at_every_alignment() {
    for corruption in KINDS {
        for (batch, pixels, instance) in
            [(1, 1, 0), (5, 2, 0), (3, 3, 1), (27, 27, 0), (64, 51, 7), (3, 784, u32::MAX)]
        {
            let kernel = Corrupt { instance, first_place: instance % 5, ..kernel(batch, pixels, corruption) };
            let inputs = inputs(&kernel, 0xfeed_0000_beef, 7);
            check(gpu(), &kernel, &inputs, &[None, None], tolerance(corruption));
        }
    }
}

#[test]
fn floats_are_corrupted_as_bytes_are() {
    for corruption in KINDS {
        let mut kernel = kernel(27, 51, corruption);
        kernel.gather.rows = Rows::Floats;
        let mut inputs = inputs(&kernel, 5, 2);
        inputs[1] = words(&noise(3, 51 * 51));
        check(gpu(), &kernel, &inputs, &[None, None], Tolerance::new(1e-6, 2.0 * f32::EPSILON));
    }
}

#[test]
fn centred_images_are_corrupted_before_the_mean_image_is_subtracted() {
    for corruption in KINDS {
        let mut kernel = kernel(27, 51, corruption);
        kernel.gather.center = true;
        let inputs = inputs(&kernel, 5, 2);
        let Tolerance { absolute, relative } = tolerance(corruption);
        let close = Tolerance::new(absolute + 4.0 * f32::EPSILON, relative);
        check(gpu(), &kernel, &inputs, &[None, None], close);
    }
}

#[test]
fn the_clean_images_are_those_of_a_batch_without_corruption() {
    let kernel = kernel(27, 51, KINDS[0]);
    let inputs = inputs(&kernel, 5, 2);
    let [.., x, _] = &run(gpu(), &kernel, &inputs, &[None, None])[..] else { panic!("no operands") };
    let gathered = run(gpu(), &kernel.gather, &inputs[1..], &[None]);
    assert_eq!(Some(x), gathered.last());
}

#[test]
fn noise_repeats_for_a_seed_and_step_and_differs_between_images_steps_seeds_and_instances() {
    let kernel = kernel(8, 64, Corruption::Gaussian { deviation: 1.0 });
    let seen_by = |instance, seed, step| {
        let kernel = Corrupt { instance, ..kernel };
        let mut inputs = inputs(&kernel, seed, step);
        inputs[2] = vec![9; 8];
        floats(&run(gpu(), &kernel, &inputs, &[None, None])[4]).to_vec()
    };
    let seen = |seed, step| seen_by(0, seed, step);
    let first = seen(1, 0);
    assert_eq!(first, seen(1, 0));
    let equal = |a: &[f32], b: &[f32]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    assert_eq!(equal(&first, &seen(1, 1)), 0);
    assert_eq!(equal(&first, &seen(2, 0)), 0);
    assert_eq!(equal(&first, &seen_by(1, 1, 0)), 0);
    assert_eq!(equal(&first[..64], &first[64..128]), 0, "the same image twice in a batch");
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let kernel = kernel(66_000, 255, KINDS[3]);
    check(gpu(), &kernel, &inputs(&kernel, 5, 2), &[None, None], tolerance(KINDS[3]));
}

#[test]
fn a_corruption_that_makes_no_sense_is_refused() {
    for (corruption, expected) in [
        (Corruption::Gaussian { deviation: -0.1 }, "a standard deviation"),
        (Corruption::Gaussian { deviation: f32::NAN }, "a standard deviation"),
        (Corruption::Gaussian { deviation: 1e30 }, "between 0 and 1000"),
        (Corruption::Dropout { probability: 1.0, rescale: true }, "below 1"),
        (Corruption::Dropout { probability: 1.0, rescale: false }, "below 1"),
        (Corruption::SaltAndPepper { probability: 1.0 }, "below 1"),
        (Corruption::SaltAndPepper { probability: -0.1 }, "at least 0"),
    ] {
        let message = kernel(1, 1, corruption).check().unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
    let most = Corruption::Dropout { probability: 1.0_f32.next_down(), rescale: true };
    assert!(kernel(1, 1, most).check().is_ok());
}

// Mean, variance and the shares of 0 and of 1 of what becomes of a pixel of 0.6.
#[test]
fn each_corruption_has_the_moments_of_its_definition() {
    let dropout = |rescale| Corruption::Dropout { probability: 0.3, rescale };
    let salted = 0.8 * 0.36 + 0.1 - 0.58_f64.powi(2);
    for (corruption, expected) in [
        (Corruption::Gaussian { deviation: 0.4 }, [0.6, 0.16, 0.0, 0.0]),
        (dropout(false), [0.42, 0.36 * 0.21, 0.3, 0.0]),
        (dropout(true), [0.6, 0.36 * 0.3 / 0.7, 0.3, 0.0]),
        (Corruption::SaltAndPepper { probability: 0.2 }, [0.58, salted, 0.1, 0.1]),
    ] {
        let blocks = (0..50_000).map(|block| philox([block, 3, Stream::Corruption as u32, 0], [7, 0]));
        let seen: Vec<f64> = blocks.flat_map(|bits| corruption.corrupt([0.6; 4], bits)).collect();
        let Moments { count, mean, squares } = Moments::of(seen.iter().copied());
        let share = |of: f64| seen.iter().filter(|seen| **seen == of).count() as f64 / count;
        for (got, expected) in [mean, squares / count, share(0.0), share(1.0)].into_iter().zip(expected) {
            close(format!("{corruption:?}"), got, expected, 5e-3);
        }
    }
}

#[test]
fn nothing_of_a_corruption_is_no_change_and_all_of_it_leaves_nothing() {
    let (pixels, bits) = ([0.0, 0.25, 0.6, 1.0], [1, 1 << 30, 3 << 30, u32::MAX]);
    for corruption in [
        Corruption::Gaussian { deviation: 0.0 },
        Corruption::Dropout { probability: 0.0, rescale: true },
        Corruption::SaltAndPepper { probability: 0.0 },
    ] {
        assert_eq!(corruption.corrupt(pixels, bits), pixels, "{corruption:?}");
    }
    let all = Corruption::SaltAndPepper { probability: 1.0 };
    assert_eq!(all.corrupt(pixels, bits), [0.0, 0.0, 1.0, 1.0]);
}
