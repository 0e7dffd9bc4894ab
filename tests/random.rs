//! Random numbers on the device: known answers, the CPU's bits, and moments.
#![allow(clippy::panic, missing_docs)]

mod common;

use common::{check, expected, gpu, run};
use narrows::kernels::random::{Distribution, Numbers, Stream};
use narrows::kernels::{State, floats};
use narrows::reference::compare::Tolerance;

const COUNTS: [u32; 8] = [1, 2, 3, 27, 51, 64, 129, 4097];

fn state(seed: u64, step: u32) -> Vec<u32> {
    State { step, ..State::new(seed) }.words().to_vec()
}

fn bits(count: u32, first_block: u32, stream: u32, instance: u32) -> Numbers {
    Numbers { count, distribution: Distribution::Bits, first_block, stream, instance }
}

fn numbers(count: u32, distribution: Distribution, stream: Stream) -> Numbers {
    Numbers { count, distribution, first_block: 0, stream: stream as u32, instance: 0 }
}

// Words are compared as such: as floats, two of them could pass for each other or be NaN.
fn check_bits(kernel: &Numbers, state: &[u32]) {
    let inputs = [state.to_vec()];
    let got = run(gpu(), kernel, &inputs, &[None]);
    let expected = expected(kernel, &inputs, &[None]);
    assert!(got[1] == expected[0], "{} words differ from the CPU's", kernel.count);
}

// Random123's `kat_vectors`, philox4x32 10.
#[test]
fn the_device_gives_random123s_known_answers() {
    let ones = u32::MAX;
    for (counter, key, answer) in [
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
        let got = run(gpu(), &kernel, &[state(key, step)], &[None]);
        assert_eq!(got[1], answer);
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
fn uniforms_equal_the_cpus_exactly() {
    for count in COUNTS.into_iter().chain([1 << 20]) {
        let kernel = numbers(count, Distribution::Uniform, Stream::Latent);
        check(gpu(), &kernel, &[state(11, count)], &[None], Tolerance::EXACT);
    }
}

#[test]
fn normals_are_the_cpus_to_the_precision_of_f32() {
    for count in COUNTS.into_iter().chain([1 << 20]) {
        let kernel = numbers(count, Distribution::Normal, Stream::Prior);
        check(gpu(), &kernel, &[state(11, count)], &[None], Tolerance::new(1e-6, 5e-7));
    }
}

#[test]
fn signs_equal_the_cpus_and_are_alike_often() {
    for count in COUNTS.into_iter().chain([1 << 20]) {
        let kernel = numbers(count, Distribution::Signs, Stream::Projection);
        check(gpu(), &kernel, &[state(11, count)], &[None], Tolerance::EXACT);
    }
    let signs =
        run(gpu(), &numbers(1 << 20, Distribution::Signs, Stream::Projection), &[state(3, 1)], &[None]);
    let signs = floats(&signs[1]);
    assert!(signs.iter().all(|sign| sign.abs() == 1.0));
    // Four standard deviations of the sum.
    assert!(signs.iter().sum::<f32>().abs() < 4.0 * 1024.0);
}

#[test]
fn draws_have_the_moments_of_their_distribution() {
    let count = 1 << 20;
    let moments = |words: &[u32]| {
        let values = floats(words);
        let of = |power| values.iter().map(|x| f64::from(*x).powi(power)).sum::<f64>() / f64::from(count);
        [of(1), of(2), of(3), of(4)]
    };
    let uniform = run(gpu(), &numbers(count, Distribution::Uniform, Stream::Latent), &[state(3, 1)], &[None]);
    let normal = run(gpu(), &numbers(count, Distribution::Normal, Stream::Latent), &[state(3, 1)], &[None]);
    let of_uniform = [1.0 / 2.0, 1.0 / 3.0, 1.0 / 4.0, 1.0 / 5.0];
    let of_normal = [0.0, 1.0, 0.0, 3.0];
    for (got, expected, within) in
        [(moments(&uniform[1]), of_uniform, 0.002), (moments(&normal[1]), of_normal, 0.05)]
    {
        for (got, expected) in got.into_iter().zip(expected) {
            assert!((got - expected).abs() < within, "a moment of {got}, expected {expected}");
        }
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
