//! Nearest-neighbour upsampling on the device, compared with the reference at odd shapes.
#![allow(missing_docs)]

mod common;

use common::{check, gpu, integers, noise, words};
use narrows::kernels::Kernel;
use narrows::kernels::upsample::{Upsample, UpsampleBackward};
use narrows::reference::compare::Tolerance;

const FACTORS: [[u32; 2]; 3] = [[2, 2], [3, 1], [1, 5]];

// Batch, height, width and channels.
const SHAPES: [[u32; 4]; 6] =
    [[1, 1, 1, 1], [2, 7, 7, 5], [3, 28, 5, 3], [1, 4, 129, 2], [5, 3, 3, 17], [2, 5, 9, 64]];

fn upsamples() -> impl Iterator<Item = Upsample> {
    SHAPES.into_iter().flat_map(|[batch, height, width, channels]| {
        FACTORS.into_iter().map(move |factor| Upsample { batch, height, width, channels, factor })
    })
}

fn count(upsample: &Upsample) -> usize {
    upsample.operands()[0].words
}

fn outputs(upsample: &Upsample) -> usize {
    upsample.operands()[1].words
}

#[test]
fn every_pixel_is_repeated_exactly_at_every_shape() {
    for kernel in upsamples() {
        check(gpu(), &kernel, &[words(&noise(1, count(&kernel)))], &[None], Tolerance::EXACT);
    }
}

// Sums of a few whole numbers are exact in any order.
#[test]
fn gradients_match_the_reference_written_and_added() {
    for upsample in upsamples() {
        for accumulate in [false, true] {
            let kernel = UpsampleBackward { upsample, accumulate };
            let before = accumulate.then(|| words(&integers(3, count(&upsample))));
            let dy = words(&integers(2, outputs(&upsample)));
            check(gpu(), &kernel, &[dy], &[before], Tolerance::EXACT);
        }
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let upsample = Upsample { batch: 66_000, height: 2, width: 1, channels: 3, factor: [2, 2] };
    check(gpu(), &upsample, &[words(&noise(1, count(&upsample)))], &[None], Tolerance::EXACT);
    let kernel = UpsampleBackward { upsample, accumulate: false };
    check(gpu(), &kernel, &[words(&integers(2, outputs(&upsample)))], &[None], Tolerance::EXACT);
}

#[test]
fn lines_longer_than_the_lanes_rounds_allow_are_refused() {
    let factor = [2, 2];
    let most = Upsample::most_numbers(factor);
    let upsample = |width| Upsample { batch: 1, height: 1, width, channels: 1, factor };
    let longest = UpsampleBackward { upsample: upsample(most), accumulate: false };
    check(gpu(), &longest, &[words(&integers(2, 4 * most as usize))], &[None], Tolerance::EXACT);
    let refused = upsample(most + 1).check().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused.contains("numbers in a line") && refused.contains(&most.to_string()), "{refused}");
}
