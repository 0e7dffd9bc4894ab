//! What the CPU reference computes, against textbooks, integrals and limits; `derivatives.rs` has its derivatives.
#![allow(clippy::panic, missing_docs)]

mod common;

use std::f64::consts::TAU;

use common::numeric::{close, dot, integral, squared_frobenius, wave};
use narrows::reference::activation::Activation;
use narrows::reference::compare::{Tolerance, compare, compare_words};
use narrows::reference::loss::{Kind, continuous_mean};
use narrows::reference::moments::Moments;
use narrows::reference::optimizer::Optimizer;
use narrows::reference::{
    clip, columns, contraction, divergence, elementwise, group, latent, moments, norm, pool, sparsity,
    upsample,
};

const CLOSE: Tolerance = Tolerance::new(1e-6, 1e-5);

#[test]
fn a_wrong_value_is_caught_and_named_and_so_is_another_length() {
    let expected: Vec<f32> = (0..100).map(|i| i as f32).collect();
    assert_eq!(compare(&expected, &expected, Tolerance::EXACT), Ok(()));
    let mut got = expected.clone();
    got[37] += 0.01;
    let mismatch = compare(&got, &expected, CLOSE).err();
    assert_eq!(mismatch.map(|m| (m.count, m.index)), Some((1, 37)));
    assert!(compare(&[1.0, 2.0], &[1.0], CLOSE).is_err());
    assert!(compare(&[], &[1.0], CLOSE).is_err());
    assert_eq!(compare(&[], &[], CLOSE), Ok(()));
}

#[test]
fn words_that_would_be_equal_as_floats_are_told_apart() {
    let (got, expected) = ([0, 1 << 24], [0, (1 << 24) + 1]);
    assert_eq!(got.map(|word: u32| word as f32), expected.map(|word: u32| word as f32));
    let mismatch = compare_words(&got, &expected).err();
    assert_eq!(mismatch.map(|m| (m.index, m.got, m.expected)), Some((1, got[1], expected[1])));
    // As bits of floats, 0 and 1 differ by a denormal.
    assert!(compare_words(&[0], &[1]).is_err());
    assert!(compare_words(&[0], &[]).is_err());
    assert_eq!(compare_words(&got, &got), Ok(()));
}

#[test]
fn nan_never_passes_and_infinity_only_for_the_same_infinity() {
    let (nan, infinity) = (f32::NAN, f32::INFINITY);
    let loose = Tolerance::new(infinity, infinity);
    assert!(compare(&[nan], &[nan], loose).is_err());
    assert_eq!([(nan, 1.0), (1.0, nan), (nan, nan)].map(|(a, b)| loose.accepts(a, b)), [false; 3]);
    assert!(CLOSE.accepts(infinity, infinity));
    let others = [(infinity, -infinity), (infinity, 1e38), (1e38, infinity)];
    assert_eq!(others.map(|(a, b)| CLOSE.accepts(a, b)), [false; 3]);
}

#[test]
fn names_and_codes_of_activations_round_trip() {
    for (code, activation) in Activation::ALL.into_iter().enumerate() {
        assert_eq!(activation.code() as usize, code);
        assert_eq!(activation.name().parse::<Activation>().ok(), Some(activation));
    }
    assert!("swish".parse::<Activation>().is_err());
}

#[test]
fn densities_of_likelihoods_integrate_to_one_around_their_mean() {
    let deviation = 0.3;
    let v = 2.0 * f64::from(deviation).ln();
    for kind in [Kind::Gaussian { deviation }, Kind::GaussianLearned] {
        close(kind, integral(-5.0, 5.0, |x| (-kind.value(0.2, x, v)).exp()), 1.0, 1e-9);
    }
    for y in [-30.0, -2.0, 0.0, 0.5, 30.0] {
        let sum: f64 = [0.0, 1.0].map(|x| (-Kind::Bernoulli.value(y, x, 0.0)).exp()).iter().sum();
        close(format!("logit {y}"), sum, 1.0, 1e-12);
    }
    for y in [-200.0, -7.0, -1.0, -1e-3, 0.0, 1e-9, 0.02, 0.5, 3.0, 40.0] {
        let density = |x: f64| (-Kind::ContinuousBernoulli.value(y, x, 0.0)).exp();
        close(format!("logit {y}"), integral(0.0, 1.0, density), 1.0, 1e-9);
        let mean = integral(0.0, 1.0, |x| x * density(x));
        close(format!("mean of logit {y}"), continuous_mean(y), mean, 1e-9);
    }
}

#[test]
fn the_log_ratio_is_that_of_the_densities_and_its_mean_is_minus_the_divergence() {
    let log_density =
        |z: f64, mu: f64, logvar: f64| -0.5 * ((z - mu).powi(2) * (-logvar).exp() + logvar + TAU.ln());
    for (mu, logvar) in [(0.0, 0.0), (0.8, -0.6), (-2.0, 1.1)] {
        for eps in [1.0, 0.3, -1.7] {
            let z = latent::reparameterize(mu, logvar, eps);
            let ratio = log_density(z, 0.0, 0.0) - log_density(z, mu, logvar);
            close(format!("{mu}, {logvar}, {eps}"), latent::log_ratio(mu, logvar, eps), ratio, 1e-12);
        }
        let weighed = |eps: f64| log_density(eps, 0.0, 0.0).exp() * latent::log_ratio(mu, logvar, eps);
        let nats = divergence::gaussian_kl(mu, logvar);
        close(format!("{mu}, {logvar}"), -integral(-9.0, 9.0, weighed), nats, 1e-9);
    }
}

#[test]
fn divergences_are_zero_at_the_prior_and_at_the_target_and_positive_elsewhere() {
    assert_eq!(divergence::gaussian_kl(0.0, 0.0), 0.0);
    for (mu, logvar) in [(1e-4, 0.0), (0.0, 1e-6), (0.0, -1e-6), (-2.0, 3.0)] {
        assert!(divergence::gaussian_kl(mu, logvar) > 0.0, "{mu}, {logvar}");
    }
    assert_eq!(sparsity::kl(0.1, 0.1), 0.0);
    assert!(sparsity::kl(0.1, 0.1 + 1e-9) > 0.0);
}

#[test]
fn the_divergence_of_a_mean_activation_is_that_of_two_coins_and_its_ends_call_back() {
    for (p, q) in [(0.1_f64, 0.4_f64), (0.5, 0.5), (0.2, 1e-4), (0.9, 0.05)] {
        let plain = p * (p / q).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - q)).ln();
        close(format!("{p}, {q}"), sparsity::kl(p, q), plain, 1e-12);
    }
    let at = |q: f64| [sparsity::kl(0.1, q), sparsity::kl_slope(0.1, q)];
    let least = sparsity::LEAST_ACTIVE;
    for (q, bound) in [(0.0, least), (-1.0, least), (1.0, 1.0 - least)] {
        assert_eq!(at(q), at(bound));
        assert!(at(q)[0].is_finite() && (at(q)[1] > 0.0) == (q > 0.1));
    }
    assert!(at(f64::NAN).iter().all(|value| value.is_nan()));
    assert_eq!([-3.0, -1e-3, 0.0, 1e-3, 2.0].map(sparsity::l1_slope), [-1.0, -1.0, 0.0, 1.0, 1.0]);
}

#[test]
fn a_logarithm_is_finite_except_where_its_argument_is_not() {
    let at = |x: f64| [elementwise::logarithm(x), elementwise::logarithm_slope(x)];
    let least = elementwise::LEAST;
    for x in [least, 0.0, -0.0, -3.0, f64::from(f32::MIN)] {
        assert_eq!(at(x), [least.ln(), least.recip()]);
    }
    assert_eq!(elementwise::logarithm(f64::INFINITY), f64::INFINITY);
    assert!(at(f64::NAN).iter().all(|value| value.is_nan()));
}

fn log_sum(x: &[f64]) -> f64 {
    group::log_sum_exp(x.iter().copied()).iter().sum()
}

#[test]
fn a_logarithm_of_a_sum_stays_where_a_plain_one_overflows() {
    let x = [-1.0_f64, 0.5, 2.0];
    let plain = x.map(f64::exp).iter().sum::<f64>().ln();
    close("plain", log_sum(&x), plain, 1e-14);
    for shift in [-1e6, 1e6] {
        close(shift, log_sum(&x.map(|x| x + shift)), plain + shift, 1e-9);
    }
}

#[test]
fn infinities_in_a_sum_of_exponentials_are_what_they_mean_and_nan_stays() {
    let [low, high] = [f64::NEG_INFINITY, f64::INFINITY];
    assert_eq!([log_sum(&[low, low]), log_sum(&[low, 3.0]), log_sum(&[low, high, 0.0])], [low, 3.0, high]);
    assert!(log_sum(&[0.0, f64::NAN, high]).is_nan());
    let shares = |x: [f64; 2]| x.map(|of| group::share(of, group::log_sum_exp(x.into_iter())));
    assert_eq!([shares([low, 3.0]), shares([0.0, high])], [[0.0, 1.0]; 2]);
    shares([low, low]).into_iter().for_each(|share| close("share", share, 0.5, 1e-15));
}

#[test]
fn a_clipped_norm_is_the_smaller_of_itself_and_the_limit() {
    let gradient = [3.0, -4.0, 12.0];
    for limit in [0.1, 1.0, 12.9, 13.0, 13.1, 1e9] {
        let factor = clip::factor(clip::squares(&gradient, limit));
        close(format!("limit {limit}"), dot(&gradient, &gradient).sqrt() * factor, limit.min(13.0), 1e-12);
        assert!(factor <= 1.0);
    }
    assert_eq!(clip::factor(clip::squares(&[0.0; 5], 1.0)), 1.0);
    // Nothing finite is left where the norm is not.
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let factor = clip::factor(clip::squares(&[1.0, bad, 0.0], 1.0));
        assert!([1.0, bad, 0.0].iter().all(|g| !(g * factor).is_finite()));
    }
}

#[test]
fn a_clamped_gradient_keeps_its_sign_and_nan() {
    let gradients = [f64::NEG_INFINITY, -3.0, -2.0, 0.5, 2.0, 9.0];
    assert_eq!(gradients.map(|g| clip::clamped(g, 2.0)), [-2.0, -2.0, -2.0, 0.5, 2.0, 2.0]);
    assert!(clip::clamped(f64::NAN, 2.0).is_nan());
}

#[test]
fn the_values_of_units_and_of_a_product_are_the_norms_of_jacobians() {
    let (units, pixels, latent) = (3, 7, 2);
    let (s, w) = (wave(3 * units, 0.1), wave(units * pixels, 0.2));
    let rows: Vec<&[f64]> = w.chunks(pixels).collect();
    let norms: Vec<f64> = rows.iter().map(|row| dot(row, row)).collect();
    for s in s.chunks(units) {
        close("units", contraction::unit_value(s, &norms), squared_frobenius(&[(s, &w)]), 1e-12);
    }
    let (above, slopes) = (wave(latent * units, 0.8), wave(latent, 1.3));
    let a: Vec<f64> = (0..latent * units).map(|i| slopes[i / units] * above[i] * s[i % units]).collect();
    let g = |i: usize| (0..units).map(|k| a[i / units * units + k] * dot(rows[k], rows[i % units])).sum();
    let g: Vec<f64> = (0..a.len()).map(g).collect();
    let defined = squared_frobenius(&[(&s[..units], &w), (&slopes, &above)]);
    close("product", contraction::quadratic(&a, &g), defined, 1e-12);
}

#[test]
fn moments_of_parts_merge_to_those_of_the_whole() {
    let values: Vec<f64> = (0..23).map(|i| f64::from(i * 17 % 23) - 5.0).collect();
    let whole = Moments::of(values.iter().copied());
    for cut in [1, 9, 22] {
        let [left, right] = [&values[..cut], &values[cut..]].map(|part| Moments::of(part.iter().copied()));
        let merged = left.merged(right);
        assert_eq!(merged.count, whole.count);
        close(format!("mean, cut at {cut}"), merged.mean, whole.mean, 1e-12);
        close(format!("squares, cut at {cut}"), merged.squares, whole.squares, 1e-12 * whole.squares);
    }
    assert_eq!(Moments::default().merged(whole), whole);
    assert_eq!(whole.merged(Moments::default()), whole);
}

#[test]
fn the_two_variances_are_the_textbooks() {
    let moments = moments::columns(&[1.0, 10.0, 2.0, 10.0, 6.0, 10.0], 2);
    assert_eq!(moments[0], Moments { count: 3.0, mean: 3.0, squares: 14.0 });
    assert_eq!(moments[0].unbiased_variance(), 7.0);
    close("biased", moments[0].inverse_deviation(1.0 / 3.0), 5_f64.sqrt().recip(), 1e-12);
    assert_eq!(moments[1], Moments { count: 3.0, mean: 10.0, squares: 0.0 });
}

#[test]
fn what_is_normalized_has_the_mean_and_deviation_that_are_learned() {
    let x = [0.3, -1.2, 4.0, 0.31, 2.2, -0.7, 1.1];
    let before = Moments::of(x.into_iter());
    let inverse_deviation = before.inverse_deviation(0.03);
    let channel = norm::Channel { mean: before.mean, inverse_deviation, scale: 2.0, shift: 5.0 };
    let after = Moments::of(x.into_iter().map(|x| channel.normalized(x)));
    close("mean", after.mean, 5.0, 1e-12);
    let shrunk = before.squares / (before.squares / before.count + 0.03);
    close("squares", after.squares, 4.0 * shrunk, 1e-12);
}

// With the moments at zero both corrections cancel the complements: the first step has the size of the
// learning rate whatever the gradient's (Kingma and Ba 2014, section 2.1).
#[test]
fn adams_first_step_has_the_size_of_the_learning_rate() {
    for gradient in [-3e4_f32, -1.0, 1e-3, 7e9] {
        let (mut p, mut m, mut v) = (0.0, 0.0, 0.0);
        Optimizer::ADAM.update([1e-3, 0.1, 0.001], gradient, &mut p, [&mut m, &mut v]);
        close(format!("gradient {gradient}"), p.into(), -1e-3 * f64::from(gradient.signum()), 2e-8);
    }
}

#[test]
fn momentum_sums_the_gradients_and_decay_pulls_to_zero() {
    let step = |weight_decay, gradient, p: &mut f32, v: &mut f32| {
        let sgd = Optimizer::Sgd { momentum: 0.5, weight_decay };
        sgd.update([0.1, 0.0, 0.0], gradient, p, [v, &mut 0.0]);
    };
    let (mut p, mut v) = (1.0, 0.0);
    for _ in 0..3 {
        step(0.0, 1.0, &mut p, &mut v);
    }
    close("velocity", v.into(), 1.0 + 0.5 + 0.25, 1e-7);
    close("parameter", p.into(), 1.0 - 0.1 * (1.0 + 1.5 + 1.75), 1e-6);
    let (mut p, mut v) = (2.0, 0.0);
    step(0.5, 0.0, &mut p, &mut v);
    close("decayed parameter", p.into(), 2.0 - 0.1 * 0.5 * 2.0, 1e-7);
}

#[test]
fn the_elements_that_a_place_takes_from_are_found() {
    let at = |first| columns::Block { width: 5, first };
    let mut side_by_side: Vec<usize> = at(0).places(4, 2).chain(at(2).places(4, 3)).collect();
    side_by_side.sort_unstable();
    assert!(side_by_side.into_iter().eq(0..20));
    let x: Vec<f64> = (0..24).map(f64::from).collect();
    assert!(group::column_of(&x, [4, 3], [1, 2]).eq([14.0, 17.0, 20.0, 23.0]));
    let line = |first: usize| [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3].map(|at| first + at);
    let upsampled: Vec<usize> = upsample::sources([2, 1, 2, 2], [2, 3]).collect();
    assert_eq!(upsampled, [line(0), line(0), line(4), line(4)].concat());
}

#[test]
fn of_equals_the_first_is_pooled_and_nan_before_any_number() {
    let pooled = |x: [f32; 4]| pool::argmax(&x, [1, 2, 2, 1], [2, 2], [2, 2]);
    assert_eq!(pooled([1.0, 3.0, 3.0, 3.0]), [1]);
    assert_eq!(pooled([-0.0, 0.0, -1.0, 0.0]), [0]);
    assert_eq!(pooled([f32::NEG_INFINITY; 4]), [0]);
    assert_eq!(pooled([9.0, f32::NAN, 10.0, f32::INFINITY]), [1]);
}

#[test]
fn what_does_not_fill_a_window_is_left_out() {
    let fitting = [(7, 2, 2), (6, 2, 2), (7, 3, 2), (2, 2, 5), (1, 2, 1), (0, 1, 1), (3, 1, 0)];
    let windows = fitting.map(|(extent, window, stride)| pool::windows(extent, window, stride));
    assert_eq!(windows, [3, 3, 3, 1, 0, 0, 0]);
}
