//! The Gaussian code's divergence from its prior, compared with the reference at odd shapes.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::{CODES, EXTREME_CODES, dstats_before, nans, stats};
use common::{check, expected, gpu, run, words};
use narrows::kernels::divergence::{GaussianKl, KlByDimension};
use narrows::kernels::reduce::ColumnSum;
use narrows::kernels::{Gradient, Kernel, floats};
use narrows::reference::compare::Tolerance;

// lavapipe stays within 1e-6; WGSL lets exp(4) err by 11 ulp.
const CLOSE: Tolerance = Tolerance::new(4e-6, 4e-6);

const WHOLE: Option<Gradient> = Some(Gradient { scale: 1.0, accumulate: false });

fn plain((rows, latent): (u32, u32), accumulate: bool) -> GaussianKl {
    GaussianKl { rows, latent, free_bits: 0.0, gradient: Some(Gradient { scale: 0.37, accumulate }) }
}

// Sums a third of which are below what is free in the batch.
fn sums(kernel: &GaussianKl) -> Vec<u32> {
    let bound = kernel.free_bits * kernel.rows as f32;
    words(&(0..kernel.latent).map(|j| bound * [2.0, 0.5, 1.001][j as usize % 3]).collect::<Vec<f32>>())
}

#[test]
fn the_divergence_matches_the_reference_written_and_added() {
    for shape in CODES {
        for accumulate in [false, true] {
            let inputs = [stats(shape)];
            check(
                gpu(),
                &plain(shape, accumulate),
                &inputs,
                &[None, dstats_before(shape, accumulate)],
                CLOSE,
            );
        }
    }
}

#[test]
fn free_bits_match_the_reference_written_and_added() {
    for shape in CODES {
        for accumulate in [false, true] {
            let kernel = GaussianKl { free_bits: 0.6, ..plain(shape, accumulate) };
            let inputs = [stats(shape), sums(&kernel)];
            check(gpu(), &kernel, &inputs, &[None, dstats_before(shape, accumulate)], CLOSE);
        }
    }
}

#[test]
fn values_without_gradient_are_the_same_bits() {
    for shape in CODES.into_iter().chain([(66_001, 1)]) {
        let expected = run(gpu(), &plain(shape, false), &[stats(shape)], &[None, None]);
        // What is free takes nothing from the value.
        for free_bits in [0.0, 0.6] {
            let kernel = GaussianKl { free_bits, gradient: None, ..plain(shape, false) };
            let got = run(gpu(), &kernel, &[stats(shape)], &[None]);
            assert_eq!(got[1], expected[1], "{shape:?}");
            check(gpu(), &kernel, &[stats(shape)], &[None], CLOSE);
        }
    }
}

#[test]
fn each_dimensions_nats_match_the_reference() {
    for (rows, latent) in CODES.into_iter().chain([(64 * 66_000, 1)]) {
        check(gpu(), &KlByDimension { rows, latent }, &[stats((rows, latent))], &[None], CLOSE);
    }
}

// A batch whose first dimension has more than is free on average, its second less, though one code has more.
#[test]
fn a_dimension_is_free_by_its_mean_over_the_batch() {
    let kernel = GaussianKl { rows: 2, latent: 2, free_bits: 0.5, gradient: WHOLE };
    // mu, mu, logvar, logvar: with unit variance the nats are mu² / 2.
    let stats = words(&[1.5, 0.0, 0.0, 0.0, 0.1, 1.2, 0.0, 0.0]);
    let by_dimension = KlByDimension { rows: 2, latent: 2 };
    let each = run(gpu(), &by_dimension, std::slice::from_ref(&stats), &[None]).swap_remove(1);
    let sums = run(gpu(), &ColumnSum::whole(2, 2), &[each], &[None]).swap_remove(1);
    let got = run(gpu(), &kernel, &[stats, sums], &[None, None]);
    assert_eq!(floats(&got[3]), [1.5, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0, 0.0]);
    let nats: f32 = floats(&got[2]).iter().sum();
    assert!((nats - 0.5 * (2.25 + 0.01 + 1.44)).abs() < 1e-6, "all nats are reported: {nats}");
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let shape = (66_001, 1);
    check(gpu(), &plain(shape, false), &[stats(shape)], &[None, None], CLOSE);
}

#[test]
fn extreme_codes_keep_their_precision() {
    // One number a code shows each divergence on its own.
    let kernel = GaussianKl { gradient: WHOLE, ..plain((8, 1), false) };
    check(gpu(), &kernel, &[words(EXTREME_CODES.as_flattened())], &[None, None], Tolerance::new(1e-9, 1e-5));
    // A mean whose square f32 has not: infinity must arrive as such.
    let inputs = [words(&[1e20, 0.0])];
    let result = run(gpu(), &plain((1, 1), false), &inputs, &[None, None]);
    assert_eq!(floats(&result[1]), [f32::INFINITY]);
}

#[test]
fn a_log_variance_beyond_its_bounds_has_the_divergence_at_them_and_is_led_back() {
    let stats =
        words(&[[0.0, 20.0], [0.0, 20.5], [0.0, 1e30], [0.0, -30.0], [0.0, -31.0], [0.0, -1e30]].concat());
    let kernel = GaussianKl { gradient: WHOLE, ..plain((6, 1), false) };
    let got = run(gpu(), &kernel, std::slice::from_ref(&stats), &[None, None]);
    let (nats, slopes) = (floats(&got[1]), floats(&got[2]));
    assert!(nats[1] == nats[0] && nats[2] == nats[0] && nats[4] == nats[3] && nats[5] == nats[3], "{nats:?}");
    for code in 0..6 {
        let slope = slopes[2 * code + 1];
        assert!(slope.is_finite() && (slope > 0.0) == (code < 3), "{code}: {slope}");
    }
    check(gpu(), &kernel, &[stats], &[None, None], Tolerance::new(1e-9, 1e-5));
}

#[test]
fn nan_in_mu_or_logvar_reaches_its_code_alone() {
    let shape = (3, 70);
    // Element 5 of code 1: its mu, then its logvar.
    for (at, name) in [(145, "mu"), (215, "logvar")] {
        let mut stats = stats(shape);
        stats[at] = f32::NAN.to_bits();
        let got = run(gpu(), &plain(shape, false), &[stats], &[None, None]);
        assert_eq!(nans(&got[1]), [1], "divergence, NaN in {name}");
        // Some drivers' exp of NaN is a number, so that one in logvar may be lost in its gradient.
        let found = nans(&got[2]);
        assert!(found == [at] || (name == "logvar" && found.is_empty()), "NaN in {name}: at {found:?}");
    }
}

#[test]
fn free_bits_that_are_no_nats_are_refused() {
    for free_bits in [-1.0, f32::NAN, f32::INFINITY] {
        let kernel = GaussianKl { free_bits, ..plain((2, 3), false) };
        assert!(kernel.check().is_err(), "{free_bits}");
    }
}

#[test]
fn the_same_codes_give_the_same_bits() {
    let kernel = plain((5, 784), false);
    let once = || run(gpu(), &kernel, &[stats((5, 784))], &[None, None]);
    assert_eq!(once(), once());
    assert_eq!(once()[1].len(), expected(&kernel, &[stats((5, 784))], &[None, None])[0].len());
}
