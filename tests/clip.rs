//! Gradient clipping, compared with the reference at odd lengths and over several buffers.
#![allow(missing_docs)]

mod common;

use common::{check, gpu, noise, run, words};
use narrows::kernels::clip::{ClampEach, NormFactor, ScaleBy, SquaredNorm};
use narrows::kernels::{Kernel, floats};
use narrows::reference::compare::{Tolerance, compare};

const COUNTS: [u32; 9] = [1, 3, 64, 65, 4095, 4096, 4097, 12_289, 100_003];
// A chunk's squares, rounded as each is added to those of its lane.
const NORM: Tolerance = Tolerance::new(0.0, 3e-6);

fn gradient(seed: u64, count: u32) -> Vec<u32> {
    words(&noise(seed, count as usize))
}

fn norm(count: u32, max_norm: f32) -> SquaredNorm {
    SquaredNorm { count, max_norm, first: 0, sums: SquaredNorm::chunks(count) }
}

// The factor for buffers with one norm, all on the device.
fn factor(buffers: &[Vec<u32>], max_norm: f32) -> f32 {
    let counts = buffers.iter().map(|buffer| buffer.len() as u32);
    let sums = counts.clone().map(SquaredNorm::chunks).sum();
    let (mut first, mut all) = (0, None);
    for (buffer, count) in buffers.iter().zip(counts) {
        let kernel = SquaredNorm { count, max_norm, first, sums };
        all = Some(run(gpu(), &kernel, std::slice::from_ref(buffer), &[all])[1].clone());
        first += SquaredNorm::chunks(count);
    }
    floats(&run(gpu(), &NormFactor { sums }, all.as_slice(), &[None])[1])[0]
}

#[test]
fn sums_of_squares_match_the_reference_and_leave_the_others_alone() {
    for count in COUNTS {
        for (first, behind) in [(0, 0), (2, 3)] {
            let sums = first + SquaredNorm::chunks(count) + behind;
            let kernel = SquaredNorm { count, max_norm: 0.3, first, sums };
            check(gpu(), &kernel, &[gradient(1, count)], &[Some(gradient(2, sums))], NORM);
        }
    }
}

#[test]
fn the_factor_matches_the_reference() {
    for sums in [1, 2, 63, 64, 65, 1000] {
        for scale in [1e-3, 1.0, 1e6] {
            let squares: Vec<f32> = noise(3, sums as usize).iter().map(|x| scale * x * x).collect();
            check(gpu(), &NormFactor { sums }, &[words(&squares)], &[None], NORM);
        }
    }
    for [squares, factor] in [[0.0, 1.0], [0.99, 1.0], [1.0, 1.0], [4.0, 0.5]] {
        let result = run(gpu(), &NormFactor { sums: 2 }, &[words(&[0.0, squares])], &[None]);
        assert_eq!(compare(floats(&result[1]), &[factor], NORM), Ok(()), "{squares}");
    }
}

#[test]
fn gradients_are_scaled_and_held_in_place() {
    for count in COUNTS {
        let before = [Some(gradient(4, count))];
        for factor in [1.0, 0.37] {
            check(gpu(), &ScaleBy { count }, &[words(&[factor])], &before, Tolerance::new(0.0, 1e-7));
        }
        check(gpu(), &ClampEach { count, limit: 0.25 }, &[], &before, Tolerance::EXACT);
    }
    let count = 64 * 66_000;
    let before = [Some(gradient(5, count))];
    check(gpu(), &ScaleBy { count }, &[words(&[0.5])], &before, Tolerance::EXACT);
    check(gpu(), &ClampEach { count, limit: 0.25 }, &[], &before, Tolerance::EXACT);
}

#[test]
fn several_buffers_have_one_norm() {
    let buffers: Vec<Vec<u32>> =
        [5000, 1, 4096, 77].into_iter().zip(6..).map(|(n, seed)| gradient(seed, n)).collect();
    let squares: f64 = buffers.iter().flat_map(|b| floats(b)).map(|g| f64::from(*g).powi(2)).sum();
    for max_norm in [1e-15, 0.5, 10.0] {
        let expected = (f64::from(max_norm) / squares.sqrt()) as f32;
        assert_eq!(compare(&[factor(&buffers, max_norm)], &[expected], NORM), Ok(()), "at most {max_norm}");
    }
    assert_eq!(factor(&buffers, 1e3), 1.0);
    assert_eq!(factor(&buffers, 1e30), 1.0);
}

// In units of the limit neither norm leaves f32's range, as its square would.
#[test]
fn norms_whose_squares_f32_does_not_hold_are_clipped_all_the_same() {
    for size in [1e25_f32, 1e-25] {
        let gradients = words(&[3.0 * size, -4.0 * size]);
        assert_eq!(compare(&[factor(&[gradients], size)], &[0.2], NORM), Ok(()), "{size}");
    }
}

#[test]
fn nothing_finite_is_left_where_the_norm_is_not() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut gradients = gradient(7, 5000);
        gradients[4500] = bad.to_bits();
        let factor = factor(std::slice::from_ref(&gradients), 1.0);
        assert!(!factor.is_finite(), "{bad} gives a factor of {factor}");
        let scaled = run(gpu(), &ScaleBy { count: 5000 }, &[words(&[factor])], &[Some(gradients)]);
        assert!(floats(&scaled[1]).iter().all(|g| !g.is_finite()), "{bad}");
    }
    assert_eq!(factor(&[words(&[0.0; 100])], 1.0), 1.0);
}

#[test]
fn a_clamped_gradient_keeps_nan_and_its_bound_where_it_was_infinite() {
    let before = words(&[f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.5]);
    let after = run(gpu(), &ClampEach { count: 4, limit: 2.0 }, &[], &[Some(before)])[0].clone();
    assert!(floats(&after)[0].is_nan());
    assert_eq!(floats(&after)[1..], [2.0, -2.0, -0.5]);
}

#[test]
fn the_same_gradients_give_the_same_bits() {
    let once = || run(gpu(), &norm(100_003, 1.0), &[gradient(8, 100_003)], &[None])[1].clone();
    assert_eq!(once(), once());
}

#[test]
fn limits_that_limit_nothing_and_sums_that_do_not_fit_are_refused() {
    for max_norm in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-45, 3e38] {
        assert!(norm(10, max_norm).check().is_err(), "{max_norm}");
    }
    for limit in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(ClampEach { count: 10, limit }.check().is_err(), "{limit}");
    }
    let fits = |first| SquaredNorm { count: 4097, max_norm: 1.0, first, sums: 5 }.check().is_ok();
    assert!(fits(3) && !fits(4) && !fits(u32::MAX));
}
