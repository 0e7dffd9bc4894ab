//! The benchmarks' yardstick does the work it is counted for.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{check, gpu, noise, words};
use narrows::kernels::ceiling::{Ceilings, MemoryCopy, MultiplyAdd};
use narrows::reference::compare::Tolerance;
use narrows_shaders::MAX_ROUNDS;

#[test]
fn every_chain_runs_every_round() {
    for (invocations, rounds) in [(1, 1), (27, 3), (64, 0), (129, 1), (1000, 6), (64, 1000)] {
        // Eight halvings of whole numbers are exact; more may round.
        let within = if rounds < 2 { Tolerance::EXACT } else { Tolerance::new(1e-5, 1e-5) };
        check(gpu(), &MultiplyAdd { invocations, rounds }, &[], &[None], within);
    }
}

#[test]
fn the_largest_number_of_rounds_is_finite_and_settled() {
    let kernel = MultiplyAdd { invocations: 64, rounds: MAX_ROUNDS };
    check(gpu(), &kernel, &[], &[None], Tolerance::new(1e-5, 1e-5));
}

#[test]
fn a_copy_is_exact_at_every_size() {
    for count in [4, 64, 1028, 4 * 64 * 66_000] {
        let kernel = MemoryCopy { count };
        check(gpu(), &kernel, &[words(&noise(1, count as usize))], &[None], Tolerance::EXACT);
    }
}

#[test]
fn the_measured_ceilings_are_positive() {
    let ceilings = pollster::block_on(Ceilings::measure(gpu())).unwrap_or_else(|error| panic!("{error}"));
    assert!(ceilings.flops > 1e8 && ceilings.flops.is_finite(), "{ceilings:?}");
    assert!(ceilings.bytes > 1e7 && ceilings.bytes.is_finite(), "{ceilings:?}");
}
