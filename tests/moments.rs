//! The statistics of batch normalisation on the device, compared with the reference.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::operands::{STRIPS, count, nans, strips};
use common::{check, expected, gpu, noise, run, words};
use narrows::kernels::floats;
use narrows::kernels::moments::{ChunkMoments, MergeMoments, RunningMoments, Strips};
use narrows::reference::compare::Tolerance;

// Channel c lies around c / 10, with deviations of 1/2 and more.
fn x(strips: &Strips) -> Vec<f32> {
    let channels = strips.channels as usize;
    let place = |(e, x): (usize, f32)| (e % channels) as f32 * 0.1 + x * (1.0 + (e % channels % 3) as f32);
    noise(1, count(strips)).into_iter().enumerate().map(place).collect()
}

fn merge(strips: Strips) -> MergeMoments {
    MergeMoments {
        strips,
        mean_at: 64,
        variance_at: 64 + strips.channels.next_multiple_of(64),
        momentum: 0.1,
        epsilon: 1e-5,
    }
}

// Sums of squares of up to thousands of numbers around 1.
const CLOSE: Tolerance = Tolerance::new(2e-6, 5e-6);

#[test]
fn moments_of_chunks_are_the_references_at_every_shape() {
    for strips in STRIPS {
        let kernel = ChunkMoments(strips);
        check(gpu(), &kernel, &[words(&x(&kernel.0))], &[None], CLOSE);
    }
}

#[test]
fn chunks_merge_to_the_moments_of_all_rows_and_move_the_running_statistics() {
    for strips in STRIPS {
        let kernel = merge(strips);
        let parts = expected(&ChunkMoments(kernel.strips), &[words(&x(&kernel.strips))], &[None]);
        let words_of_statistics = (kernel.variance_at + kernel.strips.channels) as usize;
        let before = words(&noise(2, words_of_statistics));
        check(gpu(), &kernel, &parts, &[None, Some(before.clone())], CLOSE);
        // What lies before and between the two is other layers'.
        let after = run(gpu(), &kernel, &parts, &[None, Some(before.clone())]).swap_remove(2);
        let (mean, variance) = (kernel.mean_at as usize, kernel.variance_at as usize);
        let end = mean + kernel.strips.channels as usize;
        assert_eq!(after[..mean], before[..mean]);
        assert_eq!(after[end..variance], before[end..variance]);
    }
}

// A sum of squares less the square of the sum would have nothing left: 10,000² has no digit for a variance of 1/3.
#[test]
fn a_mean_far_from_zero_leaves_the_variance_its_digits() {
    let kernel = strips(5000, 4, 320);
    let x: Vec<f32> = noise(1, 20_000).iter().map(|x| 1e4 + (x * 64.0).round() / 64.0).collect();
    let parts = run(gpu(), &ChunkMoments(kernel), &[words(&x)], &[None]).swap_remove(1);
    let merge = merge(kernel);
    let fresh = Some(words(&[0.0; 132]));
    let got = run(gpu(), &merge, &[parts], &[None, fresh.clone()]);
    let exact = expected(&ChunkMoments(kernel), &[words(&x)], &[None]);
    let exact = expected(&merge, &exact, &[None, fresh]);
    for (got, exact) in floats(&got[1]).iter().zip(floats(&exact[0])) {
        assert!((got - exact).abs() <= 2e-4 * exact, "{got}, should be {exact}");
    }
}

#[test]
fn a_constant_channel_has_its_value_for_mean_and_no_variance() {
    let kernel = strips(300, 3, 100);
    let x: Vec<f32> = (0..900).map(|e| [0.1, -7.3, 1e6][e % 3]).collect();
    let parts = run(gpu(), &ChunkMoments(kernel), &[words(&x)], &[None]).swap_remove(1);
    for part in floats(&parts).chunks(6) {
        assert_eq!(part, [0.1, -7.3, 1e6, 0.0, 0.0, 0.0]);
    }
}

#[test]
fn running_statistics_become_moments() {
    for channels in [1, 3, 64, 129] {
        let kernel = RunningMoments { channels, mean_at: 64, variance_at: 256, epsilon: 1e-3 };
        let statistics: Vec<f32> = noise(1, 256 + channels as usize).iter().map(|x| 1.01 + x).collect();
        // WGSL lets an inverse root err by 2 units in the last place.
        check(gpu(), &kernel, &[words(&statistics)], &[None], Tolerance::new(0.0, 5e-7));
    }
}

#[test]
fn nan_reaches_the_moments_of_its_channel_alone() {
    let kernel = strips(300, 5, 60);
    let mut x = x(&kernel);
    x[117 * 5 + 3] = f32::NAN;
    let parts = run(gpu(), &ChunkMoments(kernel), &[words(&x)], &[None]).swap_remove(1);
    let result = run(gpu(), &merge(kernel), &[parts], &[None, Some(words(&[0.0; 133]))]);
    assert_eq!(nans(&result[1]), [3, 8]);
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let tall = ChunkMoments(strips(66_000 * 2, 2, 2));
    check(gpu(), &tall, &[words(&x(&tall.0))], &[None], CLOSE);
    let wide = merge(strips(2, 66_000, 2));
    let parts = expected(&ChunkMoments(wide.strips), &[words(&noise(1, 132_000))], &[None]);
    let before = Some(words(&noise(2, (wide.variance_at + 66_000) as usize)));
    // Two rows may lie close together: the inverse deviation goes up to 300.
    check(gpu(), &wide, &parts, &[None, before], Tolerance::new(2e-6, 1e-4));
}

#[test]
fn any_number_of_rows_is_shared_out_within_the_limits() {
    for (rows, channels) in [(1, 1), (128, 784), (100_352, 16), (u32::MAX / 64, 64), (u32::MAX, 1)] {
        for strips in [Strips::to_sum(rows, channels), Strips::to_map(rows, channels)] {
            let per_lane = strips.chunk.div_ceil(256 / channels.min(32));
            assert!((8..=65_000).contains(&per_lane), "{strips:?}");
        }
        assert!(Strips::to_sum(rows, channels).chunks() <= 512);
    }
}
