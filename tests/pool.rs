//! Max pooling on the device, compared with the reference at odd shapes.
#![allow(missing_docs)]

mod common;

use common::operands::nans;
use common::{check, expected, gpu, integers, noise, run, words};
use narrows::kernels::activation::Activation;
use narrows::kernels::pool::{MaxPool, MaxPoolBackward, MaxPoolTangent};
use narrows::kernels::{Kernel, floats};
use narrows::reference::compare::Tolerance;

// Window and stride: the usual, overlapping, and with gaps.
const WINDOWS: [([u32; 2], [u32; 2]); 3] = [([2, 2], [2, 2]), ([3, 2], [2, 1]), ([2, 3], [3, 4])];

// Batch, height, width and channels; some leave a line or column over.
const SHAPES: [[u32; 4]; 6] =
    [[1, 3, 3, 1], [2, 7, 7, 5], [3, 28, 5, 3], [1, 4, 129, 2], [5, 6, 6, 17], [2, 5, 9, 64]];

fn pools() -> impl Iterator<Item = MaxPool> {
    SHAPES.into_iter().flat_map(|[batch, height, width, channels]| {
        WINDOWS.into_iter().map(move |(window, stride)| MaxPool {
            batch,
            height,
            width,
            channels,
            window,
            stride,
        })
    })
}

fn count(pool: &MaxPool) -> usize {
    (pool.batch * pool.height * pool.width * pool.channels) as usize
}

fn outputs(pool: &MaxPool) -> usize {
    let [height, width] = pool.out();
    (pool.batch * height * width * pool.channels) as usize
}

// Whole numbers of a small range: many windows have several largest.
#[test]
fn the_largest_and_the_first_of_equals_are_the_references_at_every_shape() {
    for pool in pools() {
        check(gpu(), &pool, &[words(&integers(1, count(&pool)))], &[None, None], Tolerance::EXACT);
        check(gpu(), &pool, &[words(&noise(1, count(&pool)))], &[None, None], Tolerance::EXACT);
    }
}

#[test]
fn changes_pass_where_the_maximum_stands() {
    for pool in pools() {
        let forward = expected(&pool, &[words(&integers(1, count(&pool)))], &[None, None]);
        let inputs = [words(&noise(2, count(&pool))), forward[1].clone()];
        check(gpu(), &MaxPoolTangent(pool), &inputs, &[None], Tolerance::EXACT);
    }
}

// Sums of a few whole numbers are exact in any order.
#[test]
fn gradients_match_the_reference_written_and_added() {
    for pool in pools() {
        let forward = expected(&pool, &[words(&integers(1, count(&pool)))], &[None, None]);
        let inputs = [words(&integers(2, outputs(&pool))), forward[1].clone()];
        for accumulate in [false, true] {
            let kernel = MaxPoolBackward { pool, slope: None, accumulate };
            let before = accumulate.then(|| words(&integers(3, count(&pool))));
            check(gpu(), &kernel, &inputs, &[before], Tolerance::EXACT);
        }
    }
}

#[test]
fn gradients_pass_the_activation_where_windows_lie_side_by_side() {
    for pool in pools() {
        let pool = MaxPool { stride: pool.window, ..pool };
        let forward = expected(&pool, &[words(&integers(1, count(&pool)))], &[None, None]);
        let inputs = [words(&noise(2, outputs(&pool))), forward[1].clone(), words(&noise(4, count(&pool)))];
        for (activation, accumulate) in
            [(Activation::Selu, false), (Activation::Gelu, true), (Activation::Tanh, false)]
        {
            let kernel = MaxPoolBackward { pool, slope: Some(activation), accumulate };
            let before = accumulate.then(|| words(&noise(3, count(&pool))));
            check(gpu(), &kernel, &inputs, &[before], Tolerance::new(1e-5, 1e-5));
        }
    }
}

#[test]
fn a_gradient_through_an_activation_is_refused_where_windows_overlap_or_leave_gaps() {
    let pool = MaxPool { batch: 1, height: 6, width: 6, channels: 1, window: [2, 2], stride: [2, 1] };
    let kernel = MaxPoolBackward { pool, slope: Some(Activation::Relu), accumulate: false };
    let refused = kernel.check().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("stride of a pooling") && refused.contains("[2, 2]"), "{refused}");
}

#[test]
fn seven_pixels_pooled_by_two_leave_three_and_no_gradient_for_the_seventh() {
    let pool = MaxPool { batch: 1, height: 7, width: 7, channels: 1, window: [2, 2], stride: [2, 2] };
    assert_eq!(pool.out(), [3, 3]);
    let rising: Vec<f32> = (0..49).map(|i| i as f32).collect();
    let forward = run(gpu(), &pool, &[words(&rising)], &[None, None]);
    assert_eq!(forward[2], [8, 10, 12, 22, 24, 26, 36, 38, 40]);
    let backward = MaxPoolBackward { pool, slope: None, accumulate: false };
    let inputs = [words(&[1.0; 9]), forward[2].clone()];
    let gradient = run(gpu(), &backward, &inputs, &[None]).swap_remove(2);
    let reached: Vec<usize> = (0..49).filter(|e| floats(&gradient)[*e] != 0.0).collect();
    assert_eq!(reached, [8, 10, 12, 22, 24, 26, 36, 38, 40]);
}

#[test]
fn nan_is_the_largest_of_its_windows_alone_and_gets_their_gradient() {
    let pool = MaxPool { batch: 2, height: 6, width: 6, channels: 3, window: [2, 2], stride: [2, 2] };
    // Last of its window, and first of another.
    for at in [(7 * 3) + 1, (14 * 3) + 2] {
        let mut x = noise(1, 216);
        x[at] = f32::NAN;
        let forward = run(gpu(), &pool, &[words(&x)], &[None, None]);
        let nans = nans(&forward[1]);
        assert_eq!(nans.len(), 1, "NaN at {at}");
        assert_eq!(forward[2][nans[0]] as usize, at);
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let pool = MaxPool { batch: 66_000, height: 2, width: 3, channels: 2, window: [2, 2], stride: [2, 2] };
    let forward = expected(&pool, &[words(&integers(1, count(&pool)))], &[None, None]);
    check(gpu(), &pool, &[words(&integers(1, count(&pool)))], &[None, None], Tolerance::EXACT);
    let kernel = MaxPoolBackward { pool, slope: None, accumulate: false };
    let mut inputs = vec![words(&integers(2, outputs(&pool))), forward[1].clone()];
    check(gpu(), &kernel, &inputs, &[None], Tolerance::EXACT);
    let kernel = MaxPoolBackward { slope: Some(Activation::Relu), ..kernel };
    inputs.push(words(&integers(3, count(&pool))));
    check(gpu(), &kernel, &inputs, &[None], Tolerance::EXACT);
}

#[test]
fn lines_longer_than_the_lanes_rounds_allow_are_refused() {
    let window = [3, 3];
    let most = MaxPool::most_numbers(window);
    let pool = |width| MaxPool { batch: 1, height: 3, width, channels: 1, window, stride: [3, 3] };
    check(gpu(), &pool(most), &[words(&integers(1, 3 * most as usize))], &[None, None], Tolerance::EXACT);
    let refused = pool(most + 1).check().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("numbers in a line") && refused.contains(&most.to_string()), "{refused}");
}
