//! Pictures seen through random views: the device's views are the CPU's, and their draws are those that were asked for.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::operands::{images, state};
use common::{check, device, gpu, noise, run, words};
use half::f16;
use narrows::graph::{Graph, Images, Placement, Replay, Shape, State};
use narrows::kernels::augmentation::{Augment, Augmentation};
use narrows::kernels::batch::Rows;
use narrows::kernels::corruption::Corruption;
use narrows::kernels::{Kernel, floats};
use narrows::reference::augmentation::View;
use narrows::reference::compare::Tolerance;

const NONE: Augmentation = Augmentation { flip: false, shift: 0, crop: 1.0 };
const FLIP: Augmentation = Augmentation { flip: true, ..NONE };
const SHIFT: Augmentation = Augmentation { shift: 2, ..NONE };
const CROP: Augmentation = Augmentation { crop: 0.4, ..NONE };
const ALL: Augmentation = Augmentation { flip: true, shift: 3, crop: 0.7 };

// Height, width and channels: odd ones, and more numbers than a workgroup takes.
const SHAPES: [[u32; 3]; 4] = [[31, 17, 3], [5, 4, 1], [4, 129, 2], [64, 66, 1]];

fn kernel(batch: u32, shape: [u32; 3], rows: Rows, augmentation: Augmentation) -> Augment {
    Augment { batch, count: 51, shape, rows, augmentation, instance: 0, first_place: 0 }
}

fn inputs(kernel: &Augment, seed: u64, step: u32) -> Vec<Vec<u32>> {
    let (count, pixels) = (kernel.count, kernel.shape.iter().product());
    let values = noise(7, (count * pixels) as usize);
    let pictures = match kernel.rows {
        Rows::Bytes => images(count, pixels),
        Rows::Floats => words(&values),
        Rows::Halves => {
            let bits: Vec<u32> = values.iter().map(|x| f16::from_f32(*x).to_bits().into()).collect();
            bits.chunks(2).map(|pair| pair[0] | pair.get(1).unwrap_or(&0) << 16).collect()
        }
    };
    let chosen = (0..kernel.batch).map(|i| (i * 37 + count - 1) % count).collect();
    vec![state(seed, step), pictures, chosen]
}

fn seen(kernel: &Augment, inputs: &[Vec<u32>]) -> Vec<f32> {
    floats(&run(gpu(), kernel, inputs, &[None, None])[3]).to_vec()
}

#[test]
fn flips_and_shifts_move_the_very_pixels() {
    for shape in SHAPES {
        for augmentation in [NONE, FLIP, SHIFT, Augmentation { flip: true, ..SHIFT }] {
            for (rows, tolerance) in [
                (Rows::Bytes, Tolerance::new(0.0, f32::EPSILON)),
                (Rows::Halves, Tolerance::EXACT),
                (Rows::Floats, Tolerance::EXACT),
            ] {
                let kernel = kernel(13, shape, rows, augmentation);
                check(gpu(), &kernel, &inputs(&kernel, 0xfeed_0000_beef, 7), &[None, None], tolerance);
            }
        }
    }
}

// A place is a few steps of f32 off, at most those of the longest side, and neighbouring pixels differ by at most 2.
#[test]
fn crops_are_enlarged_as_the_reference_enlarges_them() {
    for shape in SHAPES {
        for augmentation in [CROP, ALL] {
            for rows in Rows::ALL {
                let kernel = Augment { instance: 3, first_place: 8, ..kernel(13, shape, rows, augmentation) };
                let tolerance = Tolerance::new(129.0 * 8.0 * f32::EPSILON, 4.0 * f32::EPSILON);
                check(gpu(), &kernel, &inputs(&kernel, 5, 2), &[None, None], tolerance);
            }
        }
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let kernel = kernel(66_000, [2, 3, 1], Rows::Floats, FLIP);
    check(gpu(), &kernel, &inputs(&kernel, 5, 2), &[None, None], Tolerance::EXACT);
}

#[test]
fn a_view_is_the_picture_mirrored_shifted_and_enlarged() {
    let whole = View { mirrored: false, shift: [0, 0], share: 1.0, corner: [0.3, 0.9] };
    let picture: Vec<f32> = (0..12).map(|i| i as f32).collect();
    let rows = |view: View| -> Vec<Vec<f64>> {
        view.of(&picture, [3, 4, 1]).chunks(4).map(<[f64]>::to_vec).collect()
    };
    assert_eq!(rows(whole), [vec![0.0, 1.0, 2.0, 3.0], vec![4.0, 5.0, 6.0, 7.0], vec![8.0, 9.0, 10.0, 11.0]]);
    assert_eq!(rows(View { mirrored: true, ..whole })[1], [7.0, 6.0, 5.0, 4.0]);
    let shifted = rows(View { shift: [1, -2], ..whole });
    assert_eq!(shifted, [vec![2.0, 3.0, 3.0, 3.0], vec![2.0, 3.0, 3.0, 3.0], vec![6.0, 7.0, 7.0, 7.0]]);
    // The half in the middle, down and across.
    let middle = View { share: 0.5, corner: [0.5, 0.5], ..whole };
    assert_eq!(rows(middle)[1], [4.75, 5.25, 5.75, 6.25]);
    let colours: Vec<f32> = vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0];
    let mirrored = View { mirrored: true, ..whole }.of(&colours, [2, 2, 2]);
    assert_eq!(mirrored, [2.0, 20.0, 1.0, 10.0, 4.0, 40.0, 3.0, 30.0], "channels stay in order");
}

#[test]
fn both_flips_every_shift_and_all_shares_occur_as_often_as_they_should() {
    let augmentation = Augmentation { flip: true, shift: 2, crop: 0.6 };
    let views: Vec<View> = (0..20_000).map(|i| augmentation.view(i % 200, [7, 0], i / 200, 0)).collect();
    let counts = |of: fn(&View) -> i64| {
        let mut counts = BTreeMap::new();
        views.iter().for_each(|view| *counts.entry(of(view)).or_insert(0_u32) += 1);
        counts
    };
    // Five deviations of a count around n p are 5 sqrt(n p (1 - p)).
    let even = |counts: BTreeMap<i64, u32>, keys: std::ops::RangeInclusive<i64>, what: &str| {
        assert!(counts.keys().copied().eq(keys.clone()), "{what}: {counts:?}");
        let share = 1.0 / keys.count() as f64;
        let deviations = 5.0 * (20_000.0 * share * (1.0 - share)).sqrt();
        let near = |count: &u32| (f64::from(*count) - 20_000.0 * share).abs() < deviations;
        assert!(counts.values().all(near), "{what}: {counts:?}");
    };
    even(counts(|view| view.mirrored.into()), 0..=1, "mirrored");
    even(counts(|view| view.shift[0]), -2..=2, "down");
    even(counts(|view| view.shift[1]), -2..=2, "right");
    even(counts(|view| 5 * view.shift[0] + view.shift[1]), -12..=12, "both ways at once");
    even(counts(|view| ((view.share - 0.6) / 0.04) as i64), 0..=9, "share");
    even(counts(|view| (view.corner[0] * 10.0) as i64), 0..=9, "above");
    even(counts(|view| (view.corner[1] * 10.0) as i64), 0..=9, "left");
}

#[test]
fn views_repeat_for_a_seed_and_step_and_differ_between_places_steps_seeds_and_instances() {
    let kernel = Augment { batch: 64, ..kernel(64, [5, 4, 1], Rows::Floats, ALL) };
    let seen_by = |instance, seed, step| {
        let kernel = Augment { instance, ..kernel };
        let mut inputs = inputs(&kernel, seed, step);
        inputs[2] = vec![9; 64];
        seen(&kernel, &inputs)
    };
    let first = seen_by(0, 1, 0);
    assert_eq!(first, seen_by(0, 1, 0));
    for other in [seen_by(0, 1, 1), seen_by(0, 2, 0), seen_by(1, 1, 0)] {
        let same = first.chunks(20).zip(other.chunks(20)).filter(|(a, b)| a == b).count();
        assert_eq!(same, 0);
    }
    assert_ne!(first[..20], first[20..40], "the same picture twice in a batch");
}

// What is corrupted is the view and not the picture, and the mean image is subtracted of the view.
#[test]
fn the_target_and_the_corrupted_input_are_the_same_view_less_the_mean_image() {
    let ([height, width, channels], batch) = ([5, 7, 3], 6);
    let pixels = (height * width * channels) as usize;
    let (pictures, mean) = (noise(3, 9 * pixels), noise(4, pixels));
    // The batch is pictures 3 to 8: not those at its places 0 to 5.
    let state = State { step: 11, cursor: 3, ..State::new(5) };
    let reduced = |view: Vec<f64>| -> Vec<f32> {
        view.iter().zip(&mean).map(|(seen, mean)| (seen - f64::from(*mean)) as f32).collect()
    };
    let views = |picture: &[f32], number| {
        ALL.view(number, state.seed, state.step, 0).of(picture, [height, width, channels])
    };
    let expected: Vec<f32> = pictures
        .chunks(pixels)
        .skip(3)
        .zip(0..batch)
        .flat_map(|(picture, number)| reduced(views(picture, number)))
        .collect();
    for corruption in [None, Some(Corruption::Dropout { probability: 0.3, rescale: false })] {
        let mut graph = Graph::new(batch);
        let shape = Shape::new(height, width, channels);
        let images = Images {
            total: 9,
            shape,
            rows: Rows::Floats,
            placement: Placement::Whole,
            center: true,
            classes: 0,
        };
        let tensors = graph.batch(images, false, ALL, corruption).unwrap();
        graph.output("target", tensors.clean).unwrap();
        if corruption.is_some() {
            graph.output("input", tensors.seen).unwrap();
        }
        let mut replay = pollster::block_on(Replay::new(&device(), graph.finish(false))).unwrap();
        replay.write_floats("images", &pictures).unwrap();
        replay.write_floats("center", &mean).unwrap();
        replay.write_state(&state).unwrap();
        pollster::block_on(replay.run(1)).unwrap();
        let read = |name: &str| pollster::block_on(replay.read_floats(name)).unwrap();
        let same = |got: f32, expected: f32| (got - expected).abs() < 1e-4;
        let target = read("target");
        assert_eq!(target.len(), expected.len());
        assert!(target.iter().zip(&expected).all(|(got, expected)| same(*got, *expected)), "{corruption:?}");
        if corruption.is_some() {
            let (input, means) = (read("input"), mean.iter().cycle());
            let numbers = input.iter().zip(&target).zip(means);
            let lost: Vec<_> = numbers.filter(|((input, target), _)| input != target).collect();
            assert!(
                lost.iter().all(|((input, _), mean)| **input == -**mean),
                "the target's number, or a black one"
            );
            let share = lost.len() as f64 / target.len() as f64;
            assert!((0.2..0.4).contains(&share), "{share}");
        }
    }
}

#[test]
fn an_augmentation_that_makes_no_sense_is_refused() {
    for (shape, augmentation, expected) in [
        ([1, 30, 1], FLIP, "random_flip: expected pictures: a row of numbers has no sides"),
        ([1, 2, 1], ALL, "random_flip, random_shift, random_crop: expected pictures"),
        ([5, 3, 1], ALL, "random_shift: expected less than the shorter side of 5 x 3 pixels, got 3"),
        ([5, 3, 1], Augmentation { crop: 0.0, ..NONE }, "random_crop: expected above 0 and at most 1, got 0"),
        ([5, 3, 1], Augmentation { crop: f32::NAN, ..NONE }, "random_crop: expected above 0"),
    ] {
        let message = kernel(1, shape, Rows::Bytes, augmentation).check().unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    kernel(1, [1, 30, 1], Rows::Bytes, NONE).check().unwrap();
}
