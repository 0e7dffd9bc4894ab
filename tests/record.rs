//! Losses kept on the device: the ring of steps, and every image's own.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{check, gpu, integers, noise, run, words};
use narrows::kernels::record::{Collect, Mean, MeansToRing};
use narrows::kernels::{Kernel, State};
use narrows::reference::compare::Tolerance;

const COUNTS: [u32; 9] = [1, 3, 27, 51, 64, 129, 256, 4097, 1 << 20];

fn state(step: u32, cursor: u32) -> Vec<u32> {
    State { step, cursor, ..State::new(1) }.words().to_vec()
}

// Of terms with so many values each.
fn ring(counts: &[u32], scale: impl Fn(u32) -> f32) -> MeansToRing {
    let means = counts.iter().map(|count| Mean { count: *count, scale: scale(*count) }).collect();
    MeansToRing { means, capacity: 5, slot: 1 }
}

fn inputs(kernel: &MeansToRing, step: u32, make: fn(u64, usize) -> Vec<f32>) -> Vec<Vec<u32>> {
    let values = |at: usize| words(&make(at as u64, kernel.means[at].count as usize));
    [state(step, 0)].into_iter().chain(MeansToRing::bound(kernel.means.len()).map(values)).collect()
}

// A line before those of the terms, and one behind them.
fn before(kernel: &MeansToRing) -> [Option<Vec<u32>>; 1] {
    [Some(words(&noise(2, 5 * (kernel.means.len() + 2))))]
}

#[test]
fn the_means_of_a_step_go_to_their_slots_and_nothing_else_changes() {
    let alone = COUNTS.iter().map(std::slice::from_ref);
    let several: [&[u32]; 3] = [&[3, 129], &[256, 1, 4097, 64], &[7, 300, 5, 51, 1]];
    for counts in alone.chain(several) {
        for step in [0, 4, 5, 1234] {
            // A power of two, which scales exactly.
            let kernel = ring(counts, |_| 0.125);
            check(gpu(), &kernel, &inputs(&kernel, step, integers), &before(&kernel), Tolerance::EXACT);
        }
        let kernel = ring(counts, |count| 1.0 / count as f32);
        check(gpu(), &kernel, &inputs(&kernel, 7, noise), &before(&kernel), Tolerance::new(2e-7, 1e-6));
    }
}

#[test]
fn the_largest_count_is_summed_whole() {
    let kernel = ring(&[MeansToRing::MAX_COUNT], |_| 1.0);
    let ones = |_, count| vec![1.0; count];
    check(gpu(), &kernel, &inputs(&kernel, 3, ones), &before(&kernel), Tolerance::EXACT);
}

#[test]
fn a_loss_that_is_no_number_reaches_its_line_of_the_ring_alone() {
    let kernel = ring(&[300, 7], |_| 1.0);
    let mut inputs = inputs(&kernel, 0, noise);
    inputs[1][299] = f32::NAN.to_bits();
    let got = run(gpu(), &kernel, &inputs, &before(&kernel)).pop().unwrap_or_default();
    assert!(f32::from_bits(got[5]).is_nan() && f32::from_bits(got[10]).is_finite());
}

#[test]
fn no_terms_and_too_many_are_refused() {
    for counts in [&[][..], &[3; 6]] {
        let said = ring(counts, |_| 1.0).check().map_err(|error| error.to_string());
        assert!(said.is_err_and(|said| said.starts_with("terms of a dispatch: ")), "{counts:?}");
    }
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
