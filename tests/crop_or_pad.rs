//! Images brought to another size about their middle, compared with the reference; its gradient against differences.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::{check_gradients, noisy_start};
use common::{check, device, gpu, integers, noise, words};
use narrows::graph::{Device, Graph, Init, Plan, Shape, first_difference, squared_error};
use narrows::kernels::Kernel;
use narrows::kernels::activation::Activation;
use narrows::kernels::crop_or_pad::CropOrPad;
use narrows::reference::compare::Tolerance;
use narrows::reference::crop_or_pad::crop_or_pad;
use narrows_shaders::max_shared_row;

// Smaller, larger and both at once, by even and odd numbers of pixels.
const SIZES: [[[u32; 2]; 2]; 6] = [
    [[32, 32], [28, 28]],
    [[32, 18], [31, 17]],
    [[5, 4], [8, 9]],
    [[9, 3], [4, 6]],
    [[1, 1], [3, 130]],
    [[7, 5], [1, 1]],
];

fn kernels(accumulate: bool) -> impl Iterator<Item = CropOrPad> {
    SIZES.into_iter().flat_map(move |[from, to]| {
        [1, 3].map(|channels| CropOrPad { batch: 3, from, to, channels, accumulate })
    })
}

#[test]
fn pixels_move_exactly_written_and_added() {
    for accumulate in [false, true] {
        for kernel in kernels(accumulate).flat_map(|kernel| [kernel, kernel.backward(accumulate)]) {
            let [x, y] = [0, 1].map(|operand| kernel.operands()[operand].words);
            let before = accumulate.then(|| words(&integers(2, y)));
            check(gpu(), &kernel, &[words(&integers(1, x))], &[before], Tolerance::EXACT);
        }
    }
}

#[test]
fn the_middle_stays_and_an_odd_pixel_goes_behind_the_last() {
    let row = [1.0, 2.0, 3.0, 4.0, 5.0];
    assert_eq!(crop_or_pad(&row, [1, 5], [1, 3], 1), [2.0, 3.0, 4.0]);
    assert_eq!(crop_or_pad(&row, [1, 5], [1, 2], 1), [2.0, 3.0]);
    assert_eq!(crop_or_pad(&row, [5, 1], [8, 1], 1), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.0, 0.0]);
    assert_eq!(crop_or_pad(&row[..2], [1, 1], [1, 2], 2), [1.0, 2.0, 0.0, 0.0], "channels stay together");
}

#[test]
fn more_than_65535_workgroups_fold_and_longer_lines_than_rounds_allow_are_refused() {
    let kernel =
        |batch, width| CropOrPad { batch, from: [2, 3], to: [3, width], channels: 1, accumulate: false };
    check(gpu(), &kernel(30_000, 2), &[words(&noise(1, 180_000))], &[None], Tolerance::EXACT);
    let longest = max_shared_row(1);
    check(gpu(), &kernel(1, longest), &[words(&noise(1, 6))], &[None], Tolerance::EXACT);
    let refused = kernel(1, longest + 1).check().unwrap_err().to_string();
    assert!(refused.contains("numbers in a line") && refused.contains(&longest.to_string()), "{refused}");
}

// A crop beside another reader, of which one adds to the gradient that the other wrote.
fn plan(to: [u32; 2]) -> Plan {
    let (mut graph, shape) = (Graph::new(3), Shape::new(5, 6, 2));
    let x = graph.input("x", 3, 60).unwrap();
    let weight = graph.parameter("w", vec![60, 60], Init::GlorotUniform { fan_in: 60, fan_out: 60 }).unwrap();
    let y = graph.dense("y", x, &weight, None, Activation::Tanh).unwrap();
    let (seen, out) = graph.crop_or_pad2d("seen", y, shape, to).unwrap();
    assert_eq!(out, Shape::new(to[0], to[1], 2));
    let (target, _) = graph.crop_or_pad2d("target", x, shape, to).unwrap();
    graph.minimize(squared_error(seen, target) + squared_error(y, x).named("beside")).unwrap();
    graph.finish(true)
}

#[test]
fn gradients_are_the_central_differences_of_the_loss_and_a_step_is_the_references() {
    for to in [[3, 4], [7, 9], [5, 6], [8, 3]] {
        let (plan, start) = (plan(to), noisy_start(180));
        check_gradients(&format!("{to:?}"), &plan, &start);
        let close = Tolerance::new(2e-5, 2e-5);
        let found = pollster::block_on(first_difference(&plan, &device(), &Device::Cpu, close, &start));
        assert_eq!(found.unwrap(), None);
    }
}

#[test]
fn the_same_size_costs_nothing() {
    let moves =
        |to| plan(to).dispatches.iter().filter(|one| one.kernel.name().starts_with("crop_or_pad")).count();
    assert_eq!((moves([5, 6]), moves([5, 5])), (0, 3));
}
