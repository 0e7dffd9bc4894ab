//! Products deeper than one dispatch sums, and parameters larger than a binding, compared with the reference.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::{device, devices, integers, noise, title};
use narrows::graph::{Clip, Device, Graph, Init, Optimizer, Plan, Replay, Update, squared_error};
use narrows::kernels::activation::Activation;
use narrows::kernels::matmul::MatMul;
use narrows::reference::compare::{Tolerance, compare};
use pollster::block_on;

// Two ranges of very different lengths, neither of whole vec4s.
const DEEP: u32 = MatMul::MAX_DEPTH + 70_001;

// What a step leaves in these ranges, with x as given.
fn step(device: &Device, plan: &Plan, x: &[f32], ranges: &[&str]) -> Vec<Vec<f32>> {
    let mut replay = block_on(Replay::new(device, plan.clone())).unwrap();
    replay.write_initial(7).unwrap();
    replay.write_floats("x", x).unwrap();
    block_on(replay.run(1)).unwrap();
    ranges.iter().map(|range| block_on(replay.read_floats(range)).unwrap()).collect()
}

#[test]
fn a_layer_deeper_than_one_product_is_summed_whole_with_its_bias_and_activation_at_the_end() {
    let rows = 3;
    let (mut graph, units) = (Graph::new(rows), DEEP as usize);
    let x = graph.input("x", rows, DEEP).unwrap();
    let first = |count: usize, seed| Init::Values(integers(seed, count));
    let weight = graph.parameter("weight", vec![5, units], first(5 * units, 2)).unwrap();
    let bias = graph.parameter("bias", vec![5], first(5, 3)).unwrap();
    let transposed = graph.parameter("transposed", vec![units, 2], first(2 * units, 4)).unwrap();
    let layers = [
        graph.dense("relu", x, &weight, Some(&bias), Activation::Relu).unwrap(),
        graph.dense("identity", x, &weight, Some(&bias), Activation::Identity).unwrap(),
        graph.dense_transposed("no bias", x, &transposed, None, Activation::Relu).unwrap(),
    ];
    let names = ["relu", "identity", "no bias"];
    for (name, layer) in names.iter().zip(layers) {
        graph.output(name, layer).unwrap();
    }
    let (plan, x) = (graph.finish(false), integers(1, rows as usize * units));
    // Whole numbers below 2^24: every order of summing gives the same bits.
    let expected = step(&Device::Cpu, &plan, &x, &names);
    assert!(expected[1].iter().any(|z| *z < 0.0) && expected[1].iter().any(|z| *z > 0.0));
    for device in devices() {
        for ((name, got), expected) in names.iter().zip(step(&device, &plan, &x, &names)).zip(&expected) {
            assert_eq!(compare(&got, expected, Tolerance::EXACT), Ok(()), "{name} on {}", title(&device));
        }
    }
}

#[test]
fn gradients_pass_layers_of_more_units_than_one_product_sums() {
    let rows = 2;
    let (mut graph, units) = (Graph::new(rows), DEEP as usize);
    let x = graph.input("x", rows, DEEP).unwrap();
    let small = |count: usize, seed| Init::Values(noise(seed, count).iter().map(|w| w / 500.0).collect());
    let tied = graph.parameter("tied", vec![5, units], small(5 * units, 2)).unwrap();
    let bias = graph.parameter("bias", vec![5], small(5, 3)).unwrap();
    let decoder = graph.parameter("decoder", vec![units, 5], small(5 * units, 4)).unwrap();
    // Gelu needs its input; what comes back passes a slope behind the whole sum.
    let code = graph.dense("code", x, &tied, Some(&bias), Activation::Gelu).unwrap();
    let y = graph.dense("y", code, &decoder, None, Activation::Identity).unwrap();
    let again = graph.dense_transposed("again", code, &tied, None, Activation::Tanh).unwrap();
    graph.minimize(squared_error(y, x) + squared_error(again, x).named("again")).unwrap();
    let (plan, x) = (graph.finish(false), noise(1, rows as usize * units));
    let expected = step(&Device::Cpu, &plan, &x, &["gradients"]);
    for device in devices() {
        let got = step(&device, &plan, &x, &["gradients"]);
        // Sums of 330,000 numbers of some thousandths.
        compare(&got[0], &expected[0], Tolerance::new(2e-3, 2e-3))
            .unwrap_or_else(|e| panic!("{e} on {}", title(&device)));
    }
}

#[test]
fn the_gradients_of_weight_and_bias_are_sums_over_more_rows_than_one_product_takes() {
    let rows = MatMul::MAX_DEPTH_WITH_SUMS + 70;
    let mut graph = Graph::new(rows);
    let x = graph.input("x", rows, 2).unwrap();
    let weight = graph.parameter("weight", vec![2, 2], Init::Constant(0.5)).unwrap();
    let bias = graph.parameter("bias", vec![2], Init::Constant(0.25)).unwrap();
    let y = graph.dense("y", x, &weight, Some(&bias), Activation::Identity).unwrap();
    graph.minimize(squared_error(y, x)).unwrap();
    let plan = graph.finish(false);
    assert_eq!(plan.dispatches.iter().filter(|dispatch| dispatch.label == "d y.weight, bias").count(), 2);
    let x = noise(1, 2 * rows as usize);
    let expected = step(&Device::Cpu, &plan, &x, &["gradients"]);
    for device in devices() {
        let got = step(&device, &plan, &x, &["gradients"]);
        compare(&got[0], &expected[0], Tolerance::new(1e-4, 1e-4))
            .unwrap_or_else(|e| panic!("{e} on {}", title(&device)));
    }
}

#[test]
fn a_weight_larger_than_a_binding_is_multiplied_clipped_and_moved_in_parts() {
    // 136 MiB where a binding has 128.
    let (rows, inputs, units) = (1, 262_208, 136);
    let mut graph = Graph::new(rows);
    let x = graph.input("x", rows, inputs).unwrap();
    let shape = vec![units, inputs as usize];
    let weight = graph.parameter("weight", shape, Init::HeUniform { fan_in: inputs as usize }).unwrap();
    let bias = graph.parameter("bias", vec![units], Init::Constant(0.1)).unwrap();
    let code = graph.dense("code", x, &weight, Some(&bias), Activation::Relu).unwrap();
    let y = graph.dense_transposed("y", code, &weight, None, Activation::Identity).unwrap();
    graph.output("y", y).unwrap();
    let update = Update::default().minimize(squared_error(y, x));
    let clip = Clip { norm: Some(0.5), value: None };
    let sgd = Optimizer::Sgd { momentum: 0.0, weight_decay: 0.0 };
    graph.update(update.by(sgd, 0.1).clip(clip)).unwrap();
    let plan = graph.finish(false);
    let binding = 128 << 20;
    assert!(plan.buffers.iter().any(|buffer| 4 * buffer.words > binding));
    for dispatch in &plan.dispatches {
        let fits = dispatch.kernel.operands().iter().all(|operand| 4 * operand.words <= binding);
        assert!(fits, "{}", dispatch.label);
    }
    let x = noise(1, inputs as usize);
    let ranges = ["y", "gradients", "parameters"];
    let [expected, got] = [Device::Cpu, device()].map(|device| step(&device, &plan, &x, &ranges));
    for ((range, got), expected) in ranges.iter().zip(&got).zip(&expected) {
        let largest = expected.iter().fold(0.0, |most: f32, x| most.max(x.abs()));
        let close = Tolerance::new(2e-4 * largest, 2e-4);
        compare(got, expected, close).unwrap_or_else(|error| panic!("{range}: {error}"));
    }
    let norm = got[1].iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    assert!((norm - 0.5).abs() < 1e-4, "{norm}");
}
