//! Dropout on the device: the reference's mask, bit for bit, forward and backward.
#![allow(missing_docs)]

mod common;

use common::numeric::close;
use common::operands;
use common::{check, gpu, noise, run, words};
use narrows::kernels::dropout::Dropout;
use narrows::kernels::floats;
use narrows::reference::compare::Tolerance;
use narrows::reference::dropout::{mask, scale};

const SHAPES: [(u32, u32); 7] = [(1, 1), (1, 3), (27, 3), (3, 27), (64, 51), (129, 129), (5, 784)];

fn state() -> Vec<u32> {
    operands::state(0x7_dead_beef, 41)
}

fn x((rows, columns): (u32, u32)) -> Vec<u32> {
    words(&noise(1, (rows * columns) as usize))
}

// One product and one sum in f32.
const CLOSE: Tolerance = Tolerance::new(1e-6, 2e-7);

#[test]
fn what_is_kept_and_how_it_is_scaled_are_the_references_written_and_added() {
    for (rows, columns) in SHAPES {
        for (rate, instance) in [(0.5, 0), (0.2, 3), (0.97, u32::MAX)] {
            for accumulate in [false, true] {
                let first_block = instance % 7;
                let kernel = Dropout { rows, columns, rate, instance, first_block, accumulate };
                let before = accumulate.then(|| words(&noise(2, (rows * columns) as usize)));
                check(gpu(), &kernel, &[state(), x((rows, columns))], &[before], CLOSE);
            }
        }
    }
}

// With one operand for both, the gradient of ones is the mask the forward pass used.
#[test]
fn the_backward_pass_sees_the_mask_the_forward_pass_drew() {
    let kernel = Dropout { rows: 51, columns: 33, rate: 0.3, instance: 2, first_block: 0, accumulate: false };
    let of = |value: f32| run(gpu(), &kernel, &[state(), words(&[value; 51 * 33])], &[None]).swap_remove(2);
    let (forward, backward) = (of(-3.0), of(1.0));
    for (y, slope) in floats(&forward).iter().zip(floats(&backward)) {
        assert_eq!(*y, -3.0 * slope);
    }
}

#[test]
fn another_seed_step_or_instance_draws_another_mask() {
    let mask = |word: usize, instance: u32| -> Vec<bool> {
        let mut state = state();
        if let Some(word) = state.get_mut(word) {
            *word += 1;
        }
        let kernel =
            Dropout { rows: 32, columns: 32, rate: 0.5, instance, first_block: 0, accumulate: false };
        let inputs = [state, words(&[1.0; 1024])];
        check(gpu(), &kernel, &inputs, &[None], CLOSE);
        let y = run(gpu(), &kernel, &inputs, &[None]).swap_remove(2);
        floats(&y).iter().map(|y| *y != 0.0).collect()
    };
    let first = mask(usize::MAX, 0);
    assert_eq!(first, mask(usize::MAX, 0));
    // Seed, low and high, step; then the instance.
    for (word, instance) in [(0, 0), (1, 0), (2, 0), (usize::MAX, 1)] {
        let other = mask(word, instance);
        let agreeing = first.iter().zip(&other).filter(|(a, b)| a == b).count();
        // Half, with a deviation of 16.
        assert!((432..592).contains(&agreeing), "{agreeing} of 1024 agree, word {word}, instance {instance}");
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let (rows, columns) = (66_000, 256);
    let kernel = Dropout { rows, columns, rate: 0.5, instance: 0, first_block: 0, accumulate: false };
    check(gpu(), &kernel, &[state(), x((rows, columns))], &[None], CLOSE);
}

#[test]
fn as_many_are_kept_as_the_rate_says_and_the_expectation_stays() {
    for rate in [0.0, 0.1, 0.5, 0.9] {
        let kept = mask([7, 0], [0, 3, 0], rate).take(100_000).filter(|kept| *kept).count();
        let share = kept as f64 / 1e5;
        close(format!("kept at rate {rate}"), share, 1.0 - f64::from(rate), 0.005);
        close(format!("expectation at rate {rate}"), share * f64::from(scale(rate)), 1.0, 0.05);
    }
    assert!(mask([7, 0], [0, 3, 0], 0.0).take(1000).all(|kept| kept));
}
