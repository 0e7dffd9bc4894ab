//! The state from step to step: position in the data, and Adam's corrections.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{expected, gpu, run};
use narrows::kernels::step::{Advance, Falling, RateSchedule, Schedule, Warmup};
use narrows::kernels::{Kernel, State};
use narrows::reference::compare::{Tolerance, compare};

// One step on the device; whole numbers equal to the CPU's, the rest within a rounding.
fn advance(kernel: &Advance, state: State) -> State {
    let before = [Some(state.words().to_vec())];
    let got = State::from_words(&run(gpu(), kernel, &[], &before)[0]);
    let expected = State::from_words(&expected(kernel, &[], &before)[0]);
    let whole = |s: &State| (s.seed, s.step, s.epoch, s.cursor);
    assert_eq!(whole(&got), whole(&expected));
    let corrections = |s: &State| [s.correction1, s.correction2];
    let within = Tolerance::new(0.0, 2.0 * f32::EPSILON);
    compare(&corrections(&got), &corrections(&expected), within).unwrap_or_else(|m| panic!("{m}"));
    // Quotients of whole numbers, and a series of 13 roundings.
    let scheduled = |s: &State| [s.learning_rate, s.kl_share];
    let within = Tolerance::new(0.0, 12.0 * f32::EPSILON);
    compare(&scheduled(&got), &scheduled(&expected), within).unwrap_or_else(|m| panic!("{m}"));
    got
}

fn plain(batch: u32, count: u32, betas: [f64; 2]) -> Advance {
    Advance { batch, count, betas, schedule: Schedule::default() }
}

fn follows(schedule: Schedule, steps: u32) -> Vec<State> {
    let kernel = Advance { schedule, ..plain(1, 8, [0.0; 2]) };
    let mut state = State::new(1, 1e-3, kernel.betas);
    let mut next = || {
        state = advance(&kernel, state);
        state
    };
    (0..steps).map(|_| next()).collect()
}

#[test]
fn the_cursor_goes_through_the_data_and_over_the_end_of_each_pass() {
    for (batch, count) in [(1, 1), (2, 3), (3, 3), (27, 64), (128, 60_000)] {
        let kernel = plain(batch, count, [0.9, 0.999]);
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
    let kernel = plain(1000, count, [0.9, 0.999]);
    let state = State { cursor: count - 10, epoch: 6, ..State::new(1, 1e-3, kernel.betas) };
    let next = advance(&kernel, state);
    assert_eq!((next.cursor, next.epoch), (990, 7));
}

#[test]
fn corrections_stay_one_without_moments() {
    let kernel = plain(1, 8, [0.0; 2]);
    let state = advance(&kernel, State::new(1, 1e-3, kernel.betas));
    assert_eq!([state.correction1, state.correction2], [1.0, 1.0]);
}

#[test]
fn corrections_follow_the_powers_of_the_betas() {
    let kernel = plain(1, 8, [0.9, 0.999]);
    let mut state = State::new(1, 1e-3, kernel.betas);
    for t in 2..200 {
        state = advance(&kernel, state);
        let exact = kernel.betas.map(|beta| (1.0 - beta.powi(t)) as f32);
        let within = Tolerance::new(0.0, 1e-6);
        compare(&[state.correction1, state.correction2], &exact, within)
            .unwrap_or_else(|mismatch| panic!("step {t}: {mismatch}"));
    }
}

#[test]
fn a_constant_learning_rate_keeps_its_bits() {
    for state in follows(Schedule::default(), 3) {
        assert_eq!((state.learning_rate.to_bits(), state.kl_share), (1e-3_f32.to_bits(), 1.0));
    }
}

#[test]
fn a_falling_learning_rate_is_the_references_to_its_end_and_stays_zero() {
    let falling = Falling { rate: 0.3, steps: 37 };
    for rate in [RateSchedule::Linear(falling), RateSchedule::Cosine(falling)] {
        let states = follows(Schedule { rate, ..Schedule::default() }, 40);
        let rates: Vec<f32> = states.iter().map(|state| state.learning_rate).collect();
        assert!(rates[..37].is_sorted_by(|a, b| a > b), "{rates:?}");
        assert!(
            rates[0] > 0.29 && rates[35] > 0.0 && rates[36..].iter().all(|rate| *rate == 0.0),
            "{rates:?}"
        );
    }
}

#[test]
fn the_kls_share_rises_and_stays_or_rises_in_cycles() {
    let share = |warmup: Warmup| -> Vec<f32> {
        let states = follows(Schedule { warmup, ..Schedule::default() }, 30);
        states.iter().map(|state| state.kl_share).collect()
    };
    let linear = share(Warmup { steps: 20, cycles: 1, rise: 1.0 });
    // The state after the first step is that of step 1.
    assert!((linear[0] - 0.05).abs() < 1e-7 && (linear[18] - 0.95).abs() < 1e-6);
    assert!(linear[19..].iter().all(|share| *share == 1.0));
    let cyclical = share(Warmup { steps: 20, cycles: 3, rise: 0.5 });
    let falls = cyclical.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert_eq!(falls, 2, "{cyclical:?}");
    assert!(cyclical[20..].iter().all(|share| *share == 1.0));
    // As many steps as cycles can still be counted in 32 bits with.
    let long =
        Schedule { warmup: Warmup { steps: u32::MAX / 4, cycles: 4, rise: 0.5 }, ..Schedule::default() };
    let kernel = Advance { schedule: long, ..plain(1, 8, [0.0; 2]) };
    let late = State { step: u32::MAX / 4 - 10, ..State::new(1, 1e-3, [0.0; 2]) };
    advance(&kernel, late);
}

#[test]
fn schedules_that_cannot_be_counted_are_refused() {
    let refused = |schedule: Schedule| {
        let kernel = Advance { schedule, ..plain(1, 8, [0.0; 2]) };
        kernel.check().is_err()
    };
    let warmup =
        |steps, cycles, rise| Schedule { warmup: Warmup { steps, cycles, rise }, ..Schedule::default() };
    let nothing = Falling { rate: 0.1, steps: 0 };
    assert!(refused(Schedule { rate: RateSchedule::Linear(nothing), ..Schedule::default() }));
    assert!(refused(warmup(u32::MAX / 4, 5, 0.5)) && refused(warmup(10, 0, 0.5)));
    assert!(refused(warmup(10, 1, 0.0)) && refused(warmup(10, 1, f32::NAN)) && !refused(warmup(10, 1, 1.0)));
}
