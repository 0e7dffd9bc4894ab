//! The images of a step: the device's choice and their pixels, held against the CPU's.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{check, expected, gpu, noise, run, words};
use narrows::kernels::State;
use narrows::kernels::batch::{Gather, Permute};
use narrows::reference::compare::Tolerance;

fn state(seed: u64, epoch: u32, cursor: u32) -> Vec<u32> {
    State { epoch, cursor, ..State::new(seed) }.words().to_vec()
}

// Indices as the device chooses them, equal to the CPU's.
fn permute(batch: u32, count: u32, shuffle: bool, state: Vec<u32>) -> Vec<u32> {
    let kernel = Permute { batch, count, shuffle };
    let inputs = [state];
    let got = run(gpu(), &kernel, &inputs, &[None]).swap_remove(1);
    let expected = expected(&kernel, &inputs, &[None]).swap_remove(0);
    assert!(got == expected, "{batch} of {count} images differ from the CPU's");
    got
}

#[test]
fn the_device_chooses_the_cpus_images() {
    for count in [1, 2, 3, 27, 51, 64, 129, 4097, 60_000] {
        for (seed, epoch) in [(1, 0), (0xfeed_0000_beef, 7)] {
            for cursor in [0, count / 3, count - 1] {
                permute(count.min(300), count, true, state(seed, epoch, cursor));
            }
        }
    }
}

#[test]
fn a_batch_over_the_end_of_a_pass_takes_from_both_passes() {
    let whole = |epoch| permute(1000, 1000, true, state(5, epoch, 0));
    let (this, next) = (whole(3), whole(4));
    let across = permute(128, 1000, true, state(5, 3, 950));
    assert_eq!(across[..50], this[950..]);
    assert_eq!(across[50..], next[..78]);
}

#[test]
fn without_shuffling_the_order_is_the_datas() {
    let across = permute(64, 100, false, state(5, 3, 70));
    assert!(across.into_iter().eq((70..100).chain(0..34)));
}

#[test]
fn more_than_65535_workgroups_of_indices_fold_into_two_dimensions() {
    let count = 64 * 66_000;
    let mut order = permute(count, count, true, state(5, 3, 0));
    order.sort_unstable();
    assert!(order.into_iter().eq(0..count));
}

// Every byte value, in a pattern that no shift by whole images repeats.
fn images(count: u32, pixels: u32) -> Vec<u32> {
    let bytes = (count * pixels).next_multiple_of(4);
    let bytes: Vec<u8> = (0..bytes).map(|i| (i.wrapping_mul(167) + i / 256) as u8).collect();
    bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
fn pixels_are_the_bytes_of_the_chosen_images_at_every_alignment() {
    for pixels in [1, 2, 3, 27, 51, 64, 129, 784, 4097] {
        for (batch, count) in [(1, 1), (3, 2), (27, 51), (64, 129)] {
            let chosen: Vec<u32> = (0..batch).map(|i| (i * 37 + count - 1) % count).collect();
            let kernel = Gather { batch, count, pixels, center: false };
            let inputs = [images(count, pixels), chosen];
            check(gpu(), &kernel, &inputs, &[None], Tolerance::new(0.0, f32::EPSILON));
        }
    }
}

#[test]
fn a_centered_batch_is_the_pixels_less_the_mean_image() {
    for pixels in [1, 3, 27, 784] {
        let kernel = Gather { batch: 27, count: 51, pixels, center: true };
        let chosen: Vec<u32> = (0..27).map(|i| (i * 37 + 50) % 51).collect();
        let inputs = [images(51, pixels), chosen, words(&noise(1, pixels as usize))];
        check(gpu(), &kernel, &inputs, &[None], Tolerance::new(2.0 * f32::EPSILON, 0.0));
    }
}

#[test]
fn more_than_65535_workgroups_of_pixels_fold_into_two_dimensions() {
    let kernel = Gather { batch: 66_000, count: 9, pixels: 255, center: false };
    let chosen = (0..kernel.batch).map(|i| i % 9).collect();
    let inputs = [images(9, 255), chosen];
    check(gpu(), &kernel, &inputs, &[None], Tolerance::new(0.0, f32::EPSILON));
}
