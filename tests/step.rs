//! The state from step to step: position in the data, learning rates, Adam's corrections, shares of weights.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::numeric::close;
use common::{check_each, gpu, integers, noise, run, words};
use narrows::kernels::record::{Mean, MeansToRing};
use narrows::kernels::step::{Advance, Fall, RateSchedule, Scheduled, Warmup};
use narrows::kernels::{Kernel, State, floats};
use narrows::reference::compare::{Tolerance, compare};
use narrows::reference::step::next_correction;

// Of two updates and a share, with words between them that are nobody's.
const RATES: u32 = 16;
const BETAS: [f64; 2] = [0.9, 0.999];

// Of the rates: quotients of whole numbers, and a series of 13 roundings.
const ROUNDED: Tolerance = Tolerance::new(0.0, 12.0 * f32::EPSILON);

// One step on the device; whole numbers equal to the CPU's, the rest within a rounding.
fn advance(kernel: &Advance, state: State, rates: &[f32]) -> (State, Vec<f32>) {
    let mut before = vec![Some(state.words().to_vec())];
    if kernel.rates > 0 {
        before.push(Some(words(rates)));
    }
    let got = check_each(gpu(), kernel, &[], &before, &[None, Some(ROUNDED)][..before.len()]);
    let rates = got.get(1).map_or(Vec::new(), |rates| floats(rates).to_vec());
    (State::from_words(&got[0]), rates)
}

fn advancing(batch: u32, count: u32, scheduled: Vec<Scheduled>) -> Advance {
    let rates = if scheduled.is_empty() { 0 } else { RATES };
    Advance { batch, count, counts: true, rates, scheduled, keeps: None }
}

fn rate(every: u32, betas: [f64; 2], schedule: RateSchedule) -> Scheduled {
    Scheduled::Rate { at: 4, every, betas, rate: 1e-3, schedule }
}

const CONSTANT: RateSchedule = RateSchedule { warmup: 0, fall: Fall::Constant };

fn first(betas: [f64; 2]) -> Vec<f32> {
    let mut rates = vec![0.5; RATES as usize];
    rates[4] = 1e-3;
    rates[5] = (1.0 - betas[0]) as f32;
    rates[6] = (1.0 - betas[1]) as f32;
    rates[7] = 1.0;
    rates
}

// The rates after each of so many steps.
fn follows(scheduled: &[Scheduled], steps: u32) -> Vec<Vec<f32>> {
    let kernel = advancing(1, 8, scheduled.to_vec());
    let (mut state, mut rates) = (State::new(1), first(BETAS));
    let mut next = || {
        (state, rates) = advance(&kernel, state, &rates);
        rates.clone()
    };
    (0..steps).map(|_| next()).collect()
}

#[test]
fn the_cursor_goes_through_the_data_and_over_the_end_of_each_pass() {
    for scheduled in [vec![], vec![rate(1, BETAS, CONSTANT)]] {
        for (batch, count) in [(1, 1), (2, 3), (3, 3), (27, 64), (128, 60_000)] {
            let kernel = advancing(batch, count, scheduled.clone());
            let (mut state, mut rates) = (State::new(0x1234_5678_9abc), first(BETAS));
            for step in 1..=10 {
                (state, rates) = advance(&kernel, state, &rates);
                assert_eq!((state.step, state.epoch), (step, step * batch / count));
                assert_eq!(state.cursor, step * batch % count);
            }
        }
    }
}

#[test]
fn the_end_of_a_pass_is_found_where_the_cursor_would_overflow() {
    let count = u32::MAX;
    let state = State { cursor: count - 10, epoch: 6, ..State::new(1) };
    let (next, _) = advance(&advancing(1000, count, vec![]), state, &[]);
    assert_eq!((next.cursor, next.epoch), (990, 7));
}

#[test]
fn a_dispatch_that_does_not_count_leaves_the_state_to_the_one_that_does() {
    let kernel = Advance { counts: false, ..advancing(2, 9, vec![rate(1, BETAS, CONSTANT)]) };
    let state = State { step: 5, cursor: 4, ..State::new(3) };
    let (next, rates) = advance(&kernel, state, &first(BETAS));
    assert_eq!(next, state);
    assert!(rates[5] > first(BETAS)[5]);
}

#[test]
fn corrections_stay_one_without_moments() {
    let kernel = advancing(1, 8, vec![rate(1, [0.0; 2], CONSTANT)]);
    let (_, rates) = advance(&kernel, State::new(1), &first([0.0; 2]));
    assert_eq!(rates[5..7], [1.0, 1.0]);
}

#[test]
fn corrections_follow_the_powers_of_the_betas_by_the_runs_of_their_update() {
    for every in [1, 3] {
        for (step, rates) in (1..).zip(follows(&[rate(every, BETAS, CONSTANT)], 200)) {
            let runs = step / every as i32;
            let exact = BETAS.map(|beta| (1.0 - beta.powi(runs + 1)) as f32);
            compare(&rates[5..7], &exact, Tolerance::new(0.0, 1e-6))
                .unwrap_or_else(|mismatch| panic!("every {every}, step {step}: {mismatch}"));
        }
    }
}

#[test]
fn a_constant_learning_rate_keeps_its_bits_and_nobodys_words_theirs() {
    for rates in follows(&[rate(1, BETAS, CONSTANT)], 3) {
        assert_eq!(rates[4].to_bits(), 1e-3_f32.to_bits());
        assert_eq!(rates[7], 1.0);
        assert!(rates[..4].iter().chain(&rates[8..]).all(|word| *word == 0.5));
    }
}

#[test]
fn a_rate_that_the_host_lowers_stays_lower_whatever_its_schedule() {
    for fall in [Fall::Constant, Fall::Linear(9), Fall::Cosine(9)] {
        let kernel = advancing(1, 8, vec![rate(1, BETAS, RateSchedule { warmup: 2, fall })]);
        let lowered = |factor: f32| {
            let mut rates = first(BETAS);
            rates[7] = factor;
            (0..5).map(|step| advance(&kernel, State { step, ..State::new(1) }, &rates).1[4]).collect()
        };
        let (whole, half): (Vec<f32>, Vec<f32>) = (lowered(1.0), lowered(0.5));
        assert!(whole.iter().zip(&half).all(|(whole, half)| *whole == 2.0 * half), "{whole:?} {half:?}");
    }
}

#[test]
fn a_rate_warms_up_in_a_line_before_it_falls() {
    for fall in [Fall::Constant, Fall::Linear(30), Fall::Cosine(30)] {
        let schedule = RateSchedule { warmup: 9, fall };
        let rates: Vec<f32> = follows(&[rate(1, BETAS, schedule)], 39).iter().map(|rates| rates[4]).collect();
        // The state after the first step is that of step 1.
        assert!((rates[0] - 2e-4).abs() < 1e-9 && (rates[8] - 1e-3).abs() < 1e-9, "{rates:?}");
        assert_eq!(rates[38] == 0.0, fall != Fall::Constant, "{rates:?}");
        assert!((0..39).all(|step| schedule.share(step) <= 1.0), "{schedule:?}");
    }
    assert_eq!(RateSchedule { warmup: 1, fall: Fall::Constant }.share(0), 0.5);
}

#[test]
fn a_falling_learning_rate_is_the_references_to_its_end_and_stays_zero() {
    for fall in [Fall::Linear(37), Fall::Cosine(37)] {
        let schedule = RateSchedule { warmup: 0, fall };
        let rates: Vec<f32> = follows(&[rate(1, BETAS, schedule)], 40).iter().map(|rates| rates[4]).collect();
        assert!(rates[..37].is_sorted_by(|a, b| a > b), "{rates:?}");
        assert!(
            rates[0] > 0.97e-3 && rates[35] > 0.0 && rates[36..].iter().all(|rate| *rate == 0.0),
            "{rates:?}"
        );
    }
}

#[test]
fn a_share_rises_and_stays_or_rises_in_cycles() {
    let share = |warmup: Warmup| -> Vec<f32> {
        follows(&[Scheduled::Share { at: 9, warmup }], 30).iter().map(|rates| rates[9]).collect()
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
    let warmup = Warmup { steps: u32::MAX / 4, cycles: 4, rise: 0.5 };
    let kernel = advancing(1, 8, vec![Scheduled::Share { at: 9, warmup }]);
    advance(&kernel, State { step: u32::MAX / 4 - 10, ..State::new(1) }, &first(BETAS));
}

#[test]
fn as_many_as_a_dispatch_describes_advance_together() {
    let warmup = Warmup { steps: 5, cycles: 1, rise: 1.0 };
    let shares = (8..14).map(|at| Scheduled::Share { at, warmup });
    let all: Vec<Scheduled> = [rate(2, BETAS, CONSTANT)].into_iter().chain(shares).collect();
    assert_eq!(all.len(), Advance::MOST);
    let rates = follows(&all, 3).pop().unwrap_or_default();
    assert!(rates[8..14].iter().all(|share| (share - 0.6).abs() < 1e-6), "{rates:?}");
    let more: Vec<Scheduled> = all.iter().chain(&all[..1]).copied().collect();
    assert!(advancing(1, 8, more).check().is_err());
}

#[test]
fn schedules_that_cannot_be_counted_are_refused() {
    let refused = |scheduled: Scheduled| advancing(1, 8, vec![scheduled]).check().is_err();
    let warmup = |steps, cycles, rise| Scheduled::Share { at: 0, warmup: Warmup { steps, cycles, rise } };
    let nothing = RateSchedule { warmup: 0, fall: Fall::Linear(0) };
    assert!(refused(rate(1, BETAS, nothing)));
    assert!(refused(Scheduled::Rate {
        at: RATES - 3,
        every: 1,
        betas: BETAS,
        rate: 1e-3,
        schedule: CONSTANT
    }));
    assert!(refused(rate(0, BETAS, CONSTANT)));
    assert!(refused(Scheduled::Share { at: RATES, warmup: Warmup::NONE }));
    assert!(refused(warmup(u32::MAX / 4, 5, 0.5)) && refused(warmup(10, 0, 0.5)));
    assert!(refused(warmup(10, 1, 0.0)) && refused(warmup(10, 1, f32::NAN)) && !refused(warmup(10, 1, 1.0)));
}

#[test]
fn the_corrections_recurrence_keeps_one_minus_a_power() {
    for beta in [0.0, 0.5, 0.9, 0.999] {
        let mut correction = 1.0 - beta;
        for t in 1..5000 {
            close(format!("{beta}^{t}"), correction, 1.0 - f64::powi(beta, t), 1e-12);
            correction = next_correction(correction, beta);
        }
    }
}

#[test]
fn a_falling_rate_begins_with_its_own_and_is_spent_at_the_end() {
    let shares = |fall| (0..10).map(|step| RateSchedule { warmup: 0, fall }.share(step)).collect();
    let linear: Vec<f64> = shares(Fall::Linear(8));
    assert_eq!(linear[..3], [1.0, 0.875, 0.75]);
    assert_eq!(linear[7..], [0.125, 0.0, 0.0]);
    let cosine: Vec<f64> = shares(Fall::Cosine(8));
    assert_eq!((cosine[0], cosine[8]), (1.0, 0.0));
    for (step, rate) in (0..8).zip(&cosine) {
        let plain = 0.5 * (1.0 + (std::f64::consts::PI * f64::from(step) / 8.0).cos());
        close(format!("step {step}"), *rate, plain, 1e-15);
    }
    assert_eq!(CONSTANT.share(3), 1.0);
}

#[test]
fn a_share_rises_once_or_in_each_cycle_and_then_stays() {
    let shares = |warmup: Warmup| (0..14).map(|step| warmup.share(step)).collect::<Vec<f64>>();
    assert_eq!(shares(Warmup::NONE), [1.0; 14]);
    let linear = shares(Warmup { steps: 4, cycles: 1, rise: 1.0 });
    assert_eq!(linear[..6], [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]);
    let cyclical = shares(Warmup { steps: 12, cycles: 3, rise: 0.5 });
    assert_eq!(cyclical[..4], [0.0, 0.5, 1.0, 1.0]);
    assert_eq!(cyclical[4..12], [&cyclical[..4], &cyclical[..4]].concat());
    assert_eq!(cyclical[12..], [1.0, 1.0]);
    // Cycles that no whole number of steps fills still rise as often.
    let uneven = shares(Warmup { steps: 10, cycles: 3, rise: 0.5 });
    assert_eq!(uneven.windows(2).filter(|pair| pair[1] < pair[0]).count(), 2);
}

#[test]
fn the_last_dispatch_keeps_the_means_of_the_step_that_it_counts() {
    let means = |counts: &[u32]| {
        let means = counts.iter().map(|count| Mean { count: *count, scale: 0.125 }).collect();
        MeansToRing { means, capacity: 5, slot: 1 }
    };
    for counts in [&[1][..], &[300, 7], &[3, 256, 1, 4097, 51]] {
        let bound = || MeansToRing::bound(counts.len()).map(|at| integers(at as u64, counts[at] as usize));
        for scheduled in [vec![], vec![rate(1, BETAS, CONSTANT)]] {
            let kernel = Advance { keeps: Some(means(counts)), ..advancing(2, 9, scheduled) };
            let mut before = vec![words(&noise(2, 5 * (counts.len() + 1))), state().words().to_vec()];
            before.extend((kernel.rates > 0).then(|| words(&first(BETAS))));
            let before: Vec<_> = before.into_iter().map(Some).collect();
            let inputs: Vec<_> = bound().map(|values| words(&values)).collect();
            // Sums of whole numbers, times an eighth, are exact.
            let tolerances = &[Some(Tolerance::EXACT), None, Some(ROUNDED)][..before.len()];
            let got = check_each(gpu(), &kernel, &inputs, &before, tolerances);
            // As the two dispatches that it stands for, one behind the other.
            let inputs = [&[state().words().to_vec()], &inputs[..]].concat();
            let ring = run(gpu(), &means(counts), &inputs, &before[..1]).split_off(6);
            let counted = run(gpu(), &Advance { keeps: None, ..kernel }, &[], &before[1..]);
            assert_eq!(got, [ring, counted].concat(), "{counts:?}");
        }
    }
}

// Whose step is at the end of the ring.
fn state() -> State {
    State { step: 9, cursor: 8, ..State::new(1) }
}

#[test]
fn more_values_than_a_workgroup_sums_in_its_rounds_are_refused() {
    let half = Mean { count: (Advance::MAX_VALUES / 2) as u32, scale: 1.0 };
    let refusal = |means| {
        let keeps = Some(MeansToRing { means, capacity: 5, slot: 0 });
        let kernel = Advance { keeps, ..advancing(2, 9, vec![]) };
        kernel.check().map_or_else(|error| error.to_string(), |()| String::new())
    };
    assert_eq!(refusal(vec![half; 2]), "");
    assert!(refusal(vec![half; 3]).starts_with("values of all terms of a step: expected"));
}
