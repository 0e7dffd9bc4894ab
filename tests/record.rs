//! Losses kept on the device: the ring of steps, and every image's own.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{check, gpu, integers, noise, run, words};
use narrows::kernels::State;
use narrows::kernels::record::{Collect, MeanToRing};
use narrows::reference::compare::Tolerance;

const COUNTS: [u32; 9] = [1, 3, 27, 51, 64, 129, 256, 4097, 1 << 20];

fn state(step: u32, cursor: u32) -> Vec<u32> {
    State { step, cursor, ..State::new(1) }.words().to_vec()
}

fn ring(count: u32, scale: f32) -> MeanToRing {
    MeanToRing { count, capacity: 5, slot: 1, scale }
}

#[test]
fn a_steps_mean_goes_to_its_slot_and_nothing_else_changes() {
    for count in COUNTS {
        for step in [0, 4, 5, 1234] {
            // A power of two, which scales exactly.
            let kernel = ring(count, 0.125);
            let inputs = [state(step, 0), words(&integers(1, count as usize))];
            let before = [Some(words(&noise(2, 10)))];
            check(gpu(), &kernel, &inputs, &before, Tolerance::EXACT);
        }
        let kernel = ring(count, 1.0 / count as f32);
        let inputs = [state(7, 0), words(&noise(1, count as usize))];
        check(gpu(), &kernel, &inputs, &[Some(vec![0; 10])], Tolerance::new(2e-7, 1e-6));
    }
}

#[test]
fn the_largest_count_is_summed_whole() {
    let kernel = ring(MeanToRing::MAX_COUNT, 1.0);
    let inputs = [state(3, 0), words(&vec![1.0; kernel.count as usize])];
    check(gpu(), &kernel, &inputs, &[Some(vec![0; 10])], Tolerance::EXACT);
}

#[test]
fn a_loss_that_is_no_number_reaches_the_ring() {
    let mut values = noise(1, 300);
    values[299] = f32::NAN;
    let got = run(gpu(), &ring(300, 1.0), &[state(0, 0), words(&values)], &[Some(vec![0; 10])]);
    assert!(f32::from_bits(got[2][5]).is_nan());
}

#[test]
fn every_image_of_a_pass_keeps_its_value_and_the_last_batch_is_cut() {
    for (batch, total) in [(1, 1), (1, 3), (3, 27), (64, 64), (51, 129), (129, 4097), (100, 40)] {
        let kernel = Collect { batch, total };
        let losses = noise(1, total as usize + batch as usize);
        let mut kept = words(&noise(2, total as usize));
        for cursor in (0..total).step_by(batch as usize) {
            let values = &losses[cursor as usize..][..batch as usize];
            let inputs = [state(0, cursor), words(values)];
            check(gpu(), &kernel, &inputs, &[Some(kept.clone())], Tolerance::EXACT);
            kept = run(gpu(), &kernel, &inputs, &[Some(kept)]).swap_remove(2);
        }
        assert_eq!(kept, words(&losses[..total as usize]), "{total} images in batches of {batch}");
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let kernel = Collect { batch: 64 * 66_000, total: 64 * 66_000 + 10 };
    let inputs = [state(0, 7), words(&noise(1, kernel.batch as usize))];
    let before = [Some(words(&noise(2, kernel.total as usize)))];
    check(gpu(), &kernel, &inputs, &before, Tolerance::EXACT);
}
