//! Batch normalisation on the device, compared with the reference.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::{STRIPS, count, nans, strips};
use common::{check, expected, gpu, noise, run, words};
use narrows::kernels::activation::Activation;
use narrows::kernels::moments::Strips;
use narrows::kernels::norm::{Backward, ChunkSums, MergeSums, Normalize};
use narrows::reference::compare::Tolerance;

const CLOSE: Tolerance = Tolerance::new(2e-6, 2e-6);

fn x(strips: &Strips) -> Vec<u32> {
    words(&noise(1, count(strips)))
}

fn dz(strips: &Strips) -> Vec<u32> {
    words(&noise(2, count(strips)))
}

// Means of [-1, 1), inverse deviations of [1/2, 5/2).
fn moments(strips: &Strips) -> Vec<u32> {
    let channels = strips.channels as usize;
    let mut moments = noise(3, 2 * channels);
    moments[channels..].iter_mut().for_each(|inverse| *inverse += 1.5);
    words(&moments)
}

fn per_channel(seed: u64, strips: &Strips) -> Vec<u32> {
    words(&noise(seed, strips.channels as usize))
}

#[test]
fn what_is_normalized_is_the_references_at_every_shape() {
    for strips in STRIPS {
        let inputs = [x(&strips), moments(&strips), per_channel(4, &strips), per_channel(5, &strips)];
        for activation in [Activation::Identity, Activation::Selu] {
            check(gpu(), &Normalize { strips, activation }, &inputs, &[None], Tolerance::new(4e-6, 4e-6));
        }
        // Keeps its input.
        let kernel = Normalize { strips, activation: Activation::Gelu };
        check(gpu(), &kernel, &inputs, &[None, None], Tolerance::new(4e-6, 4e-6));
    }
}

#[test]
fn sums_of_chunks_and_their_merger_are_the_references() {
    for strips in STRIPS {
        let inputs = [x(&strips), dz(&strips), moments(&strips)];
        // Each lane's running sum of noise errs with its length.
        let within = Tolerance::new(2e-6 + 2e-8 * strips.chunk as f32, 2e-6);
        check(gpu(), &ChunkSums(strips), &inputs, &[None], within);
        let parts = expected(&ChunkSums(strips), &inputs, &[None]);
        let shift_at = strips.channels.next_multiple_of(64);
        for [accumulate_scale, accumulate_shift] in [[false; 2], [true; 2], [true, false]] {
            let kernel = MergeSums { strips, scale_at: 0, shift_at, accumulate_scale, accumulate_shift };
            let before = words(&noise(6, (shift_at + strips.channels) as usize));
            let within = Tolerance::new(1e-5, 2e-6);
            check(gpu(), &kernel, &parts, &[None, Some(before)], within);
        }
    }
}

#[test]
fn gradients_match_the_reference_written_and_added() {
    for strips in STRIPS {
        let totals =
            words(&noise(7, 2 * strips.channels as usize).iter().map(|x| x * 5.0).collect::<Vec<f32>>());
        let inputs = [x(&strips), dz(&strips), moments(&strips), per_channel(4, &strips), totals];
        for (own_moments, accumulate) in [(true, false), (true, true), (false, false)] {
            let before = accumulate.then(|| words(&noise(8, count(&strips))));
            let kernel = Backward { strips, own_moments, accumulate };
            check(gpu(), &kernel, &inputs, &[before], Tolerance::new(1e-5, 2e-6));
        }
    }
}

#[test]
fn nan_in_x_reaches_its_own_output_and_the_sums_of_its_channel() {
    let strips = strips(300, 5, 60);
    let mut values = noise(1, 1500);
    values[117 * 5 + 3] = f32::NAN;
    let x = words(&values);
    let inputs = [x.clone(), moments(&strips), per_channel(4, &strips), per_channel(5, &strips)];
    let y = run(gpu(), &Normalize { strips, activation: Activation::Identity }, &inputs, &[None]);
    assert_eq!(nans(&y[4]), [117 * 5 + 3]);
    let parts = run(gpu(), &ChunkSums(strips), &[x, dz(&strips), moments(&strips)], &[None]);
    // Chunk 1, the second of its two numbers.
    assert_eq!(nans(&parts[3]), [10 + 5 + 3]);
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let strips = strips(66_000, 2, 1);
    let inputs = [x(&strips), moments(&strips), per_channel(4, &strips), per_channel(5, &strips)];
    let kernel = Normalize { strips, activation: Activation::Identity };
    check(gpu(), &kernel, &inputs, &[None], CLOSE);
    check(gpu(), &ChunkSums(strips), &[x(&strips), dz(&strips), moments(&strips)], &[None], CLOSE);
    let totals = words(&noise(7, 4));
    let inputs = [x(&strips), dz(&strips), moments(&strips), per_channel(4, &strips), totals];
    let kernel = Backward { strips, own_moments: true, accumulate: false };
    check(gpu(), &kernel, &inputs, &[None], CLOSE);
}
