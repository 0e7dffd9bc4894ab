//! Random numbers on the device: known answers, the CPU's bits, and moments.
#![allow(clippy::panic, missing_docs)]

mod common;

use std::collections::BTreeSet;

use common::numeric::close;
use common::operands::state;
use common::{check, check_words, gpu, run};
use narrows::kernels::floats;
use narrows::kernels::random::{Distribution, Numbers, Stream};
use narrows::reference::compare::Tolerance;
use narrows::rng::{PhiloxRng, key, normal_at, normals, philox, uniform};
use rand::{Rng, RngExt};

const COUNTS: [u32; 8] = [1, 2, 3, 27, 51, 64, 129, 4097];

fn bits(count: u32, first_block: u32, stream: u32, instance: u32) -> Numbers {
    Numbers { count, distribution: Distribution::Bits, first_block, stream, instance }
}

fn numbers(count: u32, distribution: Distribution) -> Numbers {
    Numbers { count, distribution, first_block: 0, stream: Stream::Prior as u32, instance: 0 }
}

// Words are compared as such: as floats, two of them could pass for each other or be NaN.
fn check_bits(kernel: &Numbers, state: &[u32]) {
    check_words(gpu(), kernel, &[state.to_vec()], &[None]);
}

// Random123's `kat_vectors`, philox4x32 10.
#[test]
fn the_device_and_the_cpu_give_random123s_known_answers() {
    let ones = u32::MAX;
    for (counter, seed, answer) in [
        ([0; 4], 0, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([ones; 4], u64::MAX, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            0x299f_31d0_a409_3822,
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        ),
    ] {
        let [first_block, step, stream, instance] = counter;
        let kernel = bits(4, first_block, stream, instance);
        let got = run(gpu(), &kernel, &[state(seed, step)], &[None]);
        assert_eq!(got[1], answer);
        assert_eq!(philox(counter, key(seed)), answer, "the CPU's");
    }
}

#[test]
fn words_equal_the_cpus_bit_for_bit() {
    for count in COUNTS {
        check_bits(&bits(count, 0, Stream::Latent as u32, 0), &state(0x1234_5678_9abc_def0, count));
    }
    // Over the end of the block number, and over the end of a dispatch's first dimension.
    check_bits(&bits(64, u32::MAX - 3, 2, 0), &state(5, 6));
    check_bits(&bits(256 * 66_000, 0, 2, 0), &state(5, 6));
}

#[test]
fn numbers_are_the_cpus_to_the_precision_of_f32() {
    for (distribution, within) in [
        (Distribution::Uniform, Tolerance::EXACT),
        (Distribution::Normal, Tolerance::new(1e-6, 5e-7)),
        (Distribution::Signs, Tolerance::EXACT),
    ] {
        for count in COUNTS.into_iter().chain([1 << 20]) {
            check(gpu(), &numbers(count, distribution), &[state(11, count)], &[None], within);
        }
    }
}

#[test]
fn draws_have_the_moments_of_their_distribution() {
    for (distribution, expected, within) in [
        (Distribution::Uniform, [1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0], [0.002; 4]),
        (Distribution::Normal, [0.0, 1.0, 0.0, 3.0], [0.01, 0.01, 0.02, 0.05]),
        // Four standard deviations of the mean.
        (Distribution::Signs, [0.0, 1.0, 0.0, 1.0], [4.0 / 1024.0; 4]),
    ] {
        let count = 1 << 20;
        let drawn = run(gpu(), &numbers(count, distribution), &[state(3, 1)], &[None]).swap_remove(1);
        for ((power, expected), within) in (1..).zip(expected).zip(within) {
            let sum: f64 = floats(&drawn).iter().map(|x| f64::from(*x).powi(power)).sum();
            close(format!("{distribution:?}, moment {power}"), sum / f64::from(count), expected, within);
        }
        assert!(distribution != Distribution::Signs || floats(&drawn).iter().all(|sign| sign.abs() == 1.0));
    }
}

#[test]
fn another_step_or_stream_draws_other_numbers() {
    let draw =
        |step, stream| run(gpu(), &bits(64, 0, stream as u32, 0), &[state(3, step)], &[None]).swap_remove(1);
    let first = draw(1, Stream::Latent);
    assert_eq!(first, draw(1, Stream::Latent));
    assert_ne!(first, draw(2, Stream::Latent));
    assert_ne!(first, draw(1, Stream::Prior));
}

#[test]
fn uniforms_never_reach_either_end_in_f32() {
    for bits in [0, 1, u32::MAX - 1, u32::MAX, 1 << 31] {
        let u = uniform(bits);
        assert!(u > 0.0 && u < 1.0, "{bits:#x} gives {u}");
        assert_eq!(f64::from(u as f32), u, "{bits:#x} is not exact in f32");
    }
}

#[test]
fn instances_draw_different_normals_and_the_first_is_the_streams_own() {
    let draw = |instance, i| normal_at(key(7), 3, Stream::Latent, instance, i);
    let blocks = (0..16).flat_map(|block| normals(philox([block, 3, Stream::Latent as u32, 0], key(7))));
    for (i, normal) in blocks.enumerate() {
        assert_eq!(draw(0, i), normal);
        assert!(draw(1, i) != normal && draw(1, i) != draw(2, i));
    }
}

#[test]
fn the_generator_gives_the_streams_words_and_repeats() {
    let mut rng = PhiloxRng::new(7, 3, Stream::Initial);
    let mut again = rng.clone();
    for element in 0..40_u32 {
        let words = philox([element / 4, 3, Stream::Initial as u32, 0], key(7));
        assert_eq!(rng.next_u32(), words[element as usize % 4]);
    }
    let draw = |rng: &mut PhiloxRng| (0..100).map(|_| rng.random_range(-0.5..0.5)).collect::<Vec<f32>>();
    let first = draw(&mut again);
    assert_eq!(first, draw(&mut PhiloxRng::new(7, 3, Stream::Initial)));
    assert!(first.iter().all(|x| (-0.5..0.5).contains(x)));
}

#[test]
fn seeds_steps_and_streams_of_the_generator_draw_different_numbers() {
    let first = (7, 3, Stream::Initial);
    let others = [
        (7, 3, Stream::Prior),
        (7, 4, Stream::Initial),
        (8, 3, Stream::Initial),
        (7 + (1 << 32), 3, Stream::Initial),
    ];
    let word = |(seed, step, stream)| PhiloxRng::new(seed, step, stream).next_u64();
    let words: BTreeSet<u64> = others.into_iter().chain([first]).map(word).collect();
    assert_eq!(words.len(), 5);
}
