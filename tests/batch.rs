//! The images of a step: the device's choice and their pixels, compared with the CPU's.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::numeric::close;
use common::operands::images;
use common::{check_words, gpu, noise, run, words};
use half::f16;
use narrows::kernels::Kernel;
use narrows::kernels::State;
use narrows::kernels::batch::{Gather, NextBatch, Permute, Place, Rows};
use narrows::reference::batch::Permutation;

fn state(seed: u64, epoch: u32, cursor: u32) -> Vec<u32> {
    State { epoch, cursor, ..State::new(seed) }.words().to_vec()
}

// Indices as the device chooses them, equal to the CPU's.
fn permute(batch: u32, count: u32, shuffle: bool, state: Vec<u32>) -> Vec<u32> {
    let kernel = Permute { batch, count, shuffle, first_place: 0 };
    check_words(gpu(), &kernel, &[state], &[None]).swap_remove(0)
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
fn a_part_of_a_batch_has_the_images_of_the_whole_at_its_place() {
    let whole = permute(128, 1000, true, state(5, 3, 950));
    for (first_place, batch) in [(0, 44), (44, 40), (84, 44)] {
        let kernel = Permute { batch, count: 1000, shuffle: true, first_place };
        let part = check_words(gpu(), &kernel, &[state(5, 3, 950)], &[None]).swap_remove(0);
        assert_eq!(part, whole[first_place as usize..][..batch as usize]);
    }
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

#[test]
fn pixels_are_the_bytes_of_the_chosen_images_at_every_alignment() {
    for pixels in [1, 2, 3, 27, 51, 64, 129, 784, 4097] {
        for (batch, count) in [(1, 1), (3, 2), (27, 51), (64, 129)] {
            let chosen: Vec<u32> = (0..batch).map(|i| (i * 37 + count - 1) % count).collect();
            let kernel = Gather { batch, first: 0, count, pixels, center: false, rows: Rows::Bytes };
            let inputs = [images(count, pixels), chosen];
            check_words(gpu(), &kernel, &inputs, &[None]);
        }
    }
}

// Finite floats of 16 or 32 bits in words.
fn float_rows(rows: Rows, count: u32, pixels: u32) -> Vec<u32> {
    let values = noise(7, (count * pixels) as usize);
    match rows {
        Rows::Floats => words(&values),
        _ => {
            let bits: Vec<u32> = values.iter().map(|x| f16::from_f32(*x).to_bits().into()).collect();
            bits.chunks(2).map(|pair| pair[0] | pair.get(1).unwrap_or(&0) << 16).collect()
        }
    }
}

#[test]
fn floats_of_the_chosen_rows_are_kept_at_every_alignment() {
    for rows in [Rows::Halves, Rows::Floats] {
        for pixels in [1, 2, 3, 27, 51, 64, 129, 784, 4097] {
            for (batch, count, center) in [(1, 1, false), (3, 2, true), (27, 51, false), (64, 129, true)] {
                let chosen: Vec<u32> = (0..batch).map(|i| (i * 37 + count - 1) % count).collect();
                let kernel = Gather { batch, first: 0, count, pixels, center, rows };
                let mut inputs = vec![float_rows(rows, count, pixels), chosen];
                inputs.extend(center.then(|| words(&noise(1, pixels as usize))));
                check_words(gpu(), &kernel, &inputs, &[None]);
            }
        }
    }
}

#[test]
fn the_next_batch_is_permuted_and_gathered_in_one() {
    for rows in Rows::ALL {
        for (batch, count, pixels) in
            [(1, 1, 1), (2, 3, 4097), (3, 7, 2), (27, 51, 27), (64, 129, 64), (65, 65, 129), (13, 4097, 784)]
        {
            for (shuffle, center, cursor) in
                [(true, false, 0), (true, true, count - 1), (false, true, count / 3)]
            {
                let gather = Gather { batch, first: 0, count, pixels, center, rows };
                let all =
                    if rows == Rows::Bytes { images(count, pixels) } else { float_rows(rows, count, pixels) };
                let mut inputs = vec![state(5, 3, cursor), all];
                inputs.extend(center.then(|| words(&noise(1, pixels as usize))));
                let kernel = NextBatch { gather, shuffle, first_place: 0 };
                check_words(gpu(), &kernel, &inputs, &[None, None]);
                let got = run(gpu(), &kernel, &inputs, &[None, None]);
                assert_eq!(got[inputs.len()], permute(batch, count, shuffle, state(5, 3, cursor)));
            }
        }
    }
}

#[test]
fn a_buffer_gives_the_rows_of_its_own_images_and_leaves_the_others() {
    for rows in Rows::ALL {
        for (first, count) in [(0, 20), (20, 16), (36, 15)] {
            let pixels = 27;
            let kernel = Gather { batch: 51, first, count, pixels, center: true, rows };
            let numbers =
                if rows == Rows::Bytes { images(count, pixels) } else { float_rows(rows, count, pixels) };
            let chosen: Vec<u32> = (0..51).map(|i| i * 37 % 51).collect();
            let before = words(&noise(5, 51 * pixels as usize));
            let inputs = [numbers, chosen.clone(), words(&noise(1, pixels as usize))];
            check_words(gpu(), &kernel, &inputs, &[Some(before.clone())]);
            let after = run(gpu(), &kernel, &inputs, &[Some(before.clone())]).swap_remove(3);
            let parts = after.chunks(pixels as usize).zip(before.chunks(pixels as usize)).zip(&chosen);
            for ((after, before), image) in parts {
                assert_eq!(after != before, (first..first + count).contains(image), "{rows:?} {image}");
            }
        }
    }
}

#[test]
fn places_in_a_ring_follow_the_step_and_go_on_where_its_count_begins_anew() {
    for (batch, steps, rows) in [(1, 1, 1), (7, 4, 8), (130, 64, 132)] {
        for step in [0, 1, 63, 64, 1_000_003, u32::MAX] {
            let kernel = Place { batch, steps, rows };
            let inputs = [State { step, ..State::new(1) }.words().to_vec()];
            let got = check_words(gpu(), &kernel, &inputs, &[None]).swap_remove(0);
            assert_eq!((got[0], got.len()), (step % steps * rows, batch as usize));
        }
    }
    assert!(Place { batch: 7, steps: 3, rows: 8 }.check().is_err(), "three steps do not go round at 2^32");
}

#[test]
fn a_centered_batch_is_the_pixels_less_the_mean_image() {
    for pixels in [1, 3, 27, 784] {
        let kernel = Gather { batch: 27, first: 0, count: 51, pixels, center: true, rows: Rows::Bytes };
        let chosen: Vec<u32> = (0..27).map(|i| (i * 37 + 50) % 51).collect();
        let inputs = [images(51, pixels), chosen, words(&noise(1, pixels as usize))];
        check_words(gpu(), &kernel, &inputs, &[None]);
    }
}

#[test]
fn more_than_65535_workgroups_of_pixels_fold_into_two_dimensions() {
    let kernel = Gather { batch: 66_000, first: 0, count: 9, pixels: 255, center: false, rows: Rows::Bytes };
    let chosen = (0..kernel.batch).map(|i| i % 9).collect();
    let inputs = [images(9, 255), chosen];
    check_words(gpu(), &kernel, &inputs, &[None]);
}

fn order(seed: u32, epoch: u32, count: u32) -> Vec<u32> {
    let permutation = Permutation::new([seed, 0], epoch, count);
    (0..count).map(|position| permutation.index(position)).collect()
}

#[test]
fn every_image_comes_exactly_once_in_a_pass() {
    for count in [1, 2, 3, 4, 5, 16, 17, 27, 64, 65, 1000, 60_000] {
        for (seed, epoch) in [(0, 0), (1, 0), (1, 1), (9, 1234)] {
            let mut order = order(seed, epoch, count);
            order.sort_unstable();
            assert!(order.into_iter().eq(0..count), "{count} images, seed {seed}, pass {epoch}");
        }
    }
    let most = Permutation::new([3, 4], 5, u32::MAX);
    assert!([0, 1, u32::MAX / 2, u32::MAX - 1].iter().all(|position| most.index(*position) < u32::MAX));
}

#[test]
fn passes_and_seeds_have_orders_of_their_own() {
    let first = order(1, 0, 1000);
    for other in [order(1, 1, 1000), order(2, 0, 1000), (0..1000).collect()] {
        let same = first.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < 10, "{same} of 1000 images at the same place, expected about 1");
    }
}

// Chi-square over (place, image) cells: over many passes each image is as likely at each place. With
// (n - 1)^2 degrees of freedom the statistic has that mean and twice that variance.
#[test]
fn every_image_is_equally_likely_at_every_place() {
    for count in [3_u32, 5, 27, 64] {
        let passes = 20_000;
        let mut seen = vec![0_u32; (count * count) as usize];
        for epoch in 0..passes {
            let permutation = Permutation::new([7, 7], epoch, count);
            (0..count).for_each(|place| seen[(place * count + permutation.index(place)) as usize] += 1);
        }
        let expected = f64::from(passes) / f64::from(count);
        let chi: f64 = seen.iter().map(|c| (f64::from(*c) - expected).powi(2) / expected).sum();
        let freedom = f64::from(count - 1).powi(2);
        let deviations = (chi - freedom) / (2.0 * freedom).sqrt();
        assert!(deviations.abs() < 5.0, "{count} images: chi-square {chi:.0} for {freedom}");
    }
}

// The mean distance of two uniform draws from [0, n) is n / 3.
#[test]
fn neighbours_in_a_pass_are_far_apart_in_the_data() {
    let order = order(1, 0, 60_000);
    let distance: f64 = order.windows(2).map(|pair| f64::from(pair[0].abs_diff(pair[1]))).sum();
    close("mean distance", distance / 59_999.0, 20_000.0, 400.0);
}
