//! Every derivative of the CPU reference against central differences of the function beside it.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::numeric::{central_difference, close, dot, wave};
use common::operands::KINDS;
use narrows::reference::activation::Activation;
use narrows::reference::columns::Block;
use narrows::reference::contraction::{unit_slopes, unit_value, unit_weights};
use narrows::reference::moments::Moments;
use narrows::reference::norm::Channel;
use narrows::reference::{
    divergence, elementwise, group, hadamard, latent, pool, reduce, rows, sparsity, spread, upsample,
};

// Compares what `backward` makes of a gradient of `forward(x)` with central differences.
#[track_caller]
fn operation(
    what: &str,
    x: &[f64],
    forward: impl Fn(&[f64]) -> Vec<f64>,
    backward: impl Fn(&[f64]) -> Vec<f64>,
) {
    let dy = wave(forward(x).len(), 0.9);
    central_difference(what, 1e-10, &x.to_vec(), &backward(&dy), |x| dot(&forward(&x), &dy));
}

#[test]
fn slopes_and_curvatures_of_activations_are_central_differences() {
    for activation in Activation::ALL {
        for z in [-9.0, -2.5, -0.7, -0.01, 0.3, 1.9, 12.0] {
            let kept = if activation.keeps_input() { z } else { activation.value(z) };
            let (slope, curvature) = (activation.slope(z), activation.curvature_from_kept(kept));
            central_difference(activation, 3e-9, &[z], &[slope], |[z]| activation.value(z));
            central_difference(activation, 3e-9, &[z], &[curvature], |[z]| activation.slope(z));
            close(activation, activation.slope_from_kept(kept), slope, 1e-9);
            assert!(activation.is_curved() || curvature == 0.0, "{activation} at {z}: {curvature}");
        }
        let curved = [-0.7, 0.3].map(|z| activation.slope(z + 1e-3) - activation.slope(z - 1e-3));
        assert_eq!(curved.iter().any(|change| *change != 0.0), activation.is_curved(), "{activation}");
    }
}

#[test]
fn slopes_of_likelihoods_are_central_differences() {
    for kind in KINDS {
        for (y, x, v) in [
            (0.0, 0.0, 0.0),
            (0.7, 0.2, -1.5),
            (-3.0, 1.0, 0.4),
            (4.5, 0.0, 2.0),
            (-0.01, 0.5, -3.0),
            (20.0, 1.0, 0.1),
        ] {
            let slopes = [kind.slope(y, x, v), kind.log_variance_slope(y, x, v)];
            central_difference(kind, 1e-8, &[y, v], &slopes, |[y, v]| kind.value(y, x, v));
        }
    }
}

#[test]
fn slopes_of_the_gaussian_code_by_mu_and_logvar_are_central_differences() {
    for (mu, logvar, eps) in [(0.0, 0.0, 0.5), (1.3, -2.0, -1.1), (-0.4, 0.7, 2.9), (3.0, 1e-3, 0.1)] {
        let (at, sample) = ([mu, logvar], [1.0, latent::reparameterize_logvar_slope(logvar, eps)]);
        central_difference("sample", 1e-9, &at, &sample, |[mu, logvar]| {
            latent::reparameterize(mu, logvar, eps)
        });
        let ratio = latent::log_ratio_slopes(mu, logvar, eps);
        central_difference("log ratio", 1e-9, &at, &ratio, |[mu, logvar]| latent::log_ratio(mu, logvar, eps));
        let divergence = divergence::gaussian_kl_slopes(mu, logvar);
        central_difference("divergence", 1e-9, &at, &divergence, |[mu, logvar]| {
            divergence::gaussian_kl(mu, logvar)
        });
    }
}

#[test]
fn free_bits_gate_the_slope_of_what_they_bound() {
    let (rows, free_bits) = (2, 0.25_f32);
    // The other code of the batch of two has so many nats.
    for (mu, other) in [(0.1, 0.01), (0.1, 0.9), (1.2, 0.0), (0.3, 0.3)] {
        let sum = |mu: f64| divergence::gaussian_kl(mu, 0.3) + other;
        let free = divergence::is_free(sum(mu), rows, free_bits);
        let slope = if free { 0.0 } else { divergence::gaussian_kl_slopes(mu, 0.3)[0] / f64::from(rows) };
        let bounded = |[mu]: [f64; 1]| f64::from(free_bits).max(sum(mu) / f64::from(rows));
        central_difference("bounded nats", 5e-9, &[mu], &[slope], bounded);
    }
}

#[test]
fn slopes_of_the_logarithm_and_of_the_divergence_of_two_coins_are_central_differences() {
    for x in [1e-3, 0.4, 1.0, 7.5, 1e6] {
        let relative = x * elementwise::logarithm_slope(x);
        central_difference(format!("log {x}"), 5e-9, &[0.0], &[relative], |[by]| {
            elementwise::logarithm(x + x * by)
        });
    }
    for p in [0.01, 0.1, 0.5, 0.9] {
        for q in [1e-3, 0.05, 0.1, 0.3, 0.5, 0.999] {
            // In hundredths of q: near 0 and 1 it bends within a whole step.
            let slope = sparsity::kl_slope(p, q) / 100.0;
            central_difference(format!("{p}, {q}"), 1e-8, &[0.0], &[slope], |[by]| {
                sparsity::kl(p, q + by / 100.0)
            });
        }
    }
}

#[test]
fn shares_are_the_slopes_of_the_logarithm_of_exponentials_and_add_up_to_one() {
    for x in [vec![0.3], vec![-2.0, 0.5, 0.4, 3.0], vec![5.0; 7], vec![-300.0, -301.0, -299.5]] {
        let parts = group::log_sum_exp(x.iter().copied());
        let shares: Vec<f64> = x.iter().map(|x| group::share(*x, parts)).collect();
        close(format!("{x:?}"), shares.iter().sum(), 1.0, 1e-12);
        central_difference("share", 1e-8, &x, &shares, |x| group::log_sum_exp(x.into_iter()).iter().sum());
    }
}

#[test]
fn gradients_of_products_and_of_scaled_weights_are_central_differences() {
    let (rows, columns, repeat) = (3, 5, 4);
    let (p, s) = (wave(rows * repeat * columns, 0.1), wave(rows * columns, 0.5));
    let product = |p: &[f64], s: &[f64]| hadamard::multiply(p, s, columns, repeat);
    let gradients = |dy: &[f64]| hadamard::gradients(&p, &s, dy, columns, repeat);
    operation("product by p", &p, |p| product(p, &s), |dy| gradients(dy)[0].clone());
    operation("product by s", &s, |s| product(&p, s), |dy| gradients(dy)[1].clone());
    let (c, w) = (wave(rows * repeat, 0.1), wave(repeat * columns, 0.5));
    let by_c = |dy: &[f64]| spread::scales_gradient(&w, dy, columns);
    operation("spread by c", &c, |c| spread::spread(c, &w, columns), by_c);
    let by_w = |dy: &[f64]| spread::weight_gradient(&c, dy, repeat, columns);
    operation("spread by w", &w, |w| spread::spread(&c, w, columns), by_w);
}

#[test]
fn gradients_of_repeated_rows_and_of_sums_along_rows_are_each_the_other() {
    let (columns, times) = (5, 4);
    let down = |dy: &[f64]| {
        let narrow: Vec<f32> = dy.iter().map(|dy| *dy as f32).collect();
        narrow.chunks(times * columns).flat_map(|rows| reduce::column_sums(rows, columns)).collect()
    };
    operation("repeated rows", &wave(3 * columns, 0.1), |x| rows::repeat(x, columns, times), down);
    let along = |dy: &[f64]| rows::repeat(dy, 1, 7);
    operation("sums along rows", &wave(4 * 7, 0.3), |x| rows::sums(x, 7), along);
}

#[test]
fn the_gradient_of_copied_columns_is_the_copy_back() {
    let (narrow, wide) = (Block { width: 5, first: 1 }, Block { width: 7, first: 4 });
    let copy = |x: &[f64], from: Block, to: Block| {
        let mut y = vec![0.0; 3 * to.width as usize];
        from.places(3, 2).zip(to.places(3, 2)).for_each(|(from, to)| y[to] += x[from]);
        y
    };
    operation("columns", &wave(15, 0.1), |x| copy(x, narrow, wide), |dy| copy(dy, wide, narrow));
}

#[test]
fn gradients_of_pooled_and_upsampled_images_are_central_differences() {
    for (shape, window, stride) in
        [([2, 5, 6, 3], [2, 3], [2, 2]), ([1, 7, 7, 1], [3, 3], [1, 2]), ([1, 4, 9, 2], [1, 2], [3, 4])]
    {
        // Distinct, and further apart than the step.
        let x: Vec<f64> = (0..shape.iter().product()).map(|i: u32| f64::from(i * 37 % 211) * 1e-3).collect();
        let chosen = |x: &[f64]| pool::argmax(x, shape, window, stride);
        let forward = |x: &[f64]| chosen(x).iter().map(|at| x[*at as usize]).collect();
        let backward = |dy: &[f64]| pool::gradient(dy.iter().copied(), &chosen(&x), x.len());
        operation(&format!("pooled {shape:?}"), &x, forward, backward);
    }
    let (shape, factor) = ([2, 3, 2, 3], [3, 2]);
    let forward = |x: &[f64]| upsample::sources(shape, factor).map(|at| x[at]).collect();
    let backward = |dy: &[f64]| upsample::gradient(dy.iter().copied(), shape, factor);
    let x: Vec<f64> = wave(36, 0.0).iter().map(|x| 0.1 * x).collect();
    operation("upsampled", &x, forward, backward);
}

#[test]
fn gradients_of_the_jacobians_norm_are_central_differences() {
    let (rows, units, columns) = (3, 4, 5);
    let (s, w) = (wave(rows * units, 0.1), wave(units * columns, 0.5));
    let norms = |w: &[f64]| w.chunks(columns).map(|row| dot(row, row)).collect::<Vec<f64>>();
    let value = |s: &[f64], w: &[f64], weights: &[f64]| -> f64 {
        let norms = norms(w);
        s.chunks(units).zip(weights).map(|(s, weight)| weight * unit_value(s, &norms)).sum()
    };
    let ds: Vec<f64> = s.chunks(units).flat_map(|s| unit_slopes(s, &norms(&w))).collect();
    central_difference("norm by s", 1e-8, &s, &ds, |s| value(&s, &w, &[1.0; 3]));
    for weights in [vec![1.0; rows], wave(rows, 0.3)] {
        let t: Vec<f64> = s.iter().enumerate().map(|(i, s)| s * weights[i / units]).collect();
        let dw = unit_weights(&s, &t, &w, columns);
        central_difference("norm by w", 1e-8, &w, &dw, |w| value(&s, &w, &weights));
    }
}

#[test]
fn gradients_of_a_normalisation_are_central_differences_by_own_and_by_running_moments() {
    // Seven x, then scale and shift.
    let at = [0.3, -1.2, 4.0, 0.31, 2.2, -0.7, 1.1, 1.7, -0.4];
    let dz = [1.0, -0.4, 0.2, 2.1, -1.3, 0.0, 0.6];
    for (what, correction) in [("own moments", 1.0 / 7.0), ("running moments", 0.0)] {
        let moments = |x: &[f64]| {
            let own = Moments::of(x.iter().copied());
            if correction > 0.0 { [own.mean, own.inverse_deviation(0.03)] } else { [0.2, 0.8] }
        };
        let channel = |at: &[f64]| {
            let [mean, inverse_deviation] = moments(&at[..7]);
            Channel { mean, inverse_deviation, scale: at[7], shift: at[8] }
        };
        let pairs = |at: [f64; 9]| at.into_iter().zip(dz);
        let sums = channel(&at).sums(pairs(at));
        let dx = pairs(at).map(|(x, dz)| channel(&at).gradient(x, dz, sums, correction));
        let gradient: Vec<f64> = dx.chain([sums[1], sums[0]]).collect();
        central_difference(what, 1e-9, &at.to_vec(), &gradient, |at| {
            let channel = channel(&at);
            at.iter().zip(dz).map(|(x, dz)| dz * channel.normalized(*x)).sum()
        });
    }
}
