//! The state from step to step: position in the data, and Adam's corrections.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{expected, gpu, run};
use narrows::kernels::State;
use narrows::kernels::step::Advance;
use narrows::reference::compare::{Tolerance, compare};

// One step on the device; whole numbers equal to the CPU's, the rest within a rounding.
fn advance(kernel: &Advance, state: State) -> State {
    let before = [Some(state.words().to_vec())];
    let got = State::from_words(&run(gpu(), kernel, &[], &before)[0]);
    let expected = State::from_words(&expected(kernel, &[], &before)[0]);
    let whole = |s: &State| (s.seed, s.step, s.epoch, s.cursor, s.learning_rate.to_bits());
    assert_eq!(whole(&got), whole(&expected));
    let corrections = |s: &State| [s.correction1, s.correction2];
    let within = Tolerance::new(0.0, 2.0 * f32::EPSILON);
    compare(&corrections(&got), &corrections(&expected), within).unwrap_or_else(|m| panic!("{m}"));
    got
}

#[test]
fn the_cursor_goes_through_the_data_and_over_the_end_of_each_pass() {
    for (batch, count) in [(1, 1), (2, 3), (3, 3), (27, 64), (128, 60_000)] {
        let kernel = Advance { batch, count, betas: [0.9, 0.999] };
        let mut state = State::new(0x1234_5678_9abc, 1e-3, kernel.betas);
        for step in 1..=10 {
            state = advance(&kernel, state);
            assert_eq!((state.step, state.epoch), (step, step * batch / count));
            assert_eq!(state.cursor, step * batch % count);
        }
    }
}

#[test]
fn the_end_of_a_pass_is_found_where_the_cursor_would_overflow() {
    let count = u32::MAX;
    let kernel = Advance { batch: 1000, count, betas: [0.9, 0.999] };
    let state = State { cursor: count - 10, epoch: 6, ..State::new(1, 1e-3, kernel.betas) };
    let next = advance(&kernel, state);
    assert_eq!((next.cursor, next.epoch), (990, 7));
}

#[test]
fn corrections_stay_one_without_moments() {
    let kernel = Advance { batch: 1, count: 8, betas: [0.0; 2] };
    let state = advance(&kernel, State::new(1, 1e-3, kernel.betas));
    assert_eq!([state.correction1, state.correction2], [1.0, 1.0]);
}

#[test]
fn corrections_follow_the_powers_of_the_betas() {
    let kernel = Advance { batch: 1, count: 8, betas: [0.9, 0.999] };
    let mut state = State::new(1, 1e-3, kernel.betas);
    for t in 2..200 {
        state = advance(&kernel, state);
        let exact = kernel.betas.map(|beta| (1.0 - beta.powi(t)) as f32);
        let within = Tolerance::new(0.0, 1e-6);
        compare(&[state.correction1, state.correction2], &exact, within)
            .unwrap_or_else(|mismatch| panic!("step {t}: {mismatch}"));
    }
}
