//! The squared norm of the Jacobian: its kernels against the reference, and the whole of it, exact and
//! estimated, against its definition and the central differences of that.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::read;
use common::numeric::{dot, squared_frobenius};
use common::{check, devices, gpu, noise, run, title, words};
use narrows::graph::{
    Device, Graph, Init, Parameter, Plan, Replay, Tensor, contraction, first_difference,
    projected_contraction, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::contraction::{Quadratic, UnitSlopes, UnitWeights};
use narrows::kernels::matmul::MatMul;
use narrows::kernels::{Gradient, Kernel, State};
use narrows::reference::compare::{Tolerance, compare};
use narrows::rng::{Stream, key, philox, sign};

const SIZES: [(u32, u32, u32); 6] =
    [(1, 1, 1), (3, 5, 7), (5, 64, 65), (65, 3, 129), (129, 65, 33), (2, 300, 51)];

fn some(seed: u64, rows: u32, columns: u32) -> Vec<u32> {
    words(&noise(seed, (rows * columns) as usize))
}

const fn gradient(accumulate: bool) -> Option<Gradient> {
    Some(Gradient { scale: 0.3, accumulate })
}

#[test]
fn values_without_gradient_are_the_same_bits() {
    for (rows, _, columns) in SIZES.into_iter().chain([(66_000, 1, 2)]) {
        let (a, g) = (some(1, rows, columns), some(2, rows, columns));
        let of = |gradient| Quadratic { rows, columns, gradient };
        let slopes = |gradient| UnitSlopes { rows, units: columns, gradient };
        let pairs: [(&Vec<u32>, &dyn Kernel, &dyn Kernel); 2] = [
            (&g, &of(gradient(false)), &of(None)),
            (&some(3, 1, columns), &slopes(gradient(false)), &slopes(None)),
        ];
        for (second, with, without) in pairs {
            let inputs = [a.clone(), second.clone()];
            let expected = run(gpu(), with, &inputs, &[None, None]);
            assert_eq!(run(gpu(), without, &inputs, &[None])[2], expected[2], "{without:?}");
            check(gpu(), without, &inputs, &[None], Tolerance::new(5e-6, 1e-6));
        }
    }
}

#[test]
fn a_single_layers_parts_match_the_reference() {
    let within = Tolerance::new(1e-5, 2e-6);
    for (rows, units, columns) in SIZES {
        let (w, s) = (some(1, units, columns), some(2, rows, units));
        let norms = words(&noise(3, units as usize).iter().map(|x| x + 1.0).collect::<Vec<_>>());
        for accumulate in [false, true] {
            let slopes = UnitSlopes { rows, units, gradient: gradient(accumulate) };
            let before = [None, accumulate.then(|| s.clone())];
            check(gpu(), &slopes, &[s.clone(), norms.clone()], &before, within);
            let weights = UnitWeights { rows, units, columns, scale: 0.3, accumulate };
            let before = [accumulate.then(|| w.clone())];
            check(gpu(), &weights, &[w.clone(), s.clone(), s.clone()], &before, within);
            check(gpu(), &weights, &[w.clone(), s.clone(), some(4, rows, units)], &before, within);
        }
    }
}

#[test]
fn quadratic_forms_and_their_gradients_match_the_reference() {
    for (rows, _, columns) in SIZES {
        let (a, g) = (some(1, rows, columns), some(2, rows, columns));
        for accumulate in [false, true] {
            let kernel = Quadratic { rows, columns, gradient: gradient(accumulate) };
            let before = [None, accumulate.then(|| a.clone())];
            check(gpu(), &kernel, &[a.clone(), g.clone()], &before, Tolerance::new(5e-6, 1e-6));
        }
    }
}

#[test]
fn more_than_65535_workgroups_fold_into_two_dimensions() {
    let (rows, within) = (66_000, Tolerance::new(1e-6, 1e-6));
    let (a, g) = (some(1, rows, 2), some(2, rows, 2));
    let quadratic = Quadratic { rows, columns: 2, gradient: gradient(false) };
    check(gpu(), &quadratic, &[a.clone(), g.clone()], &[None, None], within);
    let slopes = UnitSlopes { rows, units: 2, gradient: gradient(false) };
    check(gpu(), &slopes, &[a.clone(), some(3, 1, 2)], &[None, None], within);
    let weights = UnitWeights { rows: 1, units: rows, columns: 2, scale: 0.3, accumulate: false };
    check(gpu(), &weights, &[a, some(4, 1, rows), some(5, 1, rows)], &[None], within);
}

const PIXELS: u32 = 11;
const BATCH: u32 = 3;
const WEIGHT: f32 = 0.3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Exact,
    Estimate,
}

// Encoders of depth 1, 2 and 3.
const WIDTHS: [&[u32]; 3] = [&[PIXELS, 6], &[PIXELS, 7, 3], &[PIXELS, 5, 6, 3]];

struct Layers {
    weights: Vec<Parameter>,
    biases: Vec<Parameter>,
}

fn declare(graph: &mut Graph, widths: &[u32]) -> Layers {
    let mut layers = Layers { weights: Vec::new(), biases: Vec::new() };
    for (number, pair) in widths.windows(2).enumerate() {
        let (fan_in, fan_out) = (pair[0] as usize, pair[1] as usize);
        let init = Init::GlorotUniform { fan_in, fan_out };
        layers
            .weights
            .push(graph.parameter(format!("{number}.weight"), vec![fan_out, fan_in], init).unwrap());
        layers
            .biases
            .push(graph.parameter(format!("{number}.bias"), vec![fan_out], Init::Constant(0.2)).unwrap());
    }
    layers
}

fn encode(graph: &mut Graph, layers: &Layers, x: Tensor, activation: Activation) -> Vec<Tensor> {
    let mut outputs: Vec<Tensor> = Vec::new();
    for (weight, bias) in layers.weights.iter().zip(&layers.biases) {
        let below = outputs.last().copied().unwrap_or(x);
        outputs.push(graph.dense(&weight.name, below, weight, Some(bias), activation).unwrap());
    }
    outputs
}

fn penalty(graph: &mut Graph, layers: &Layers, outputs: &[Tensor], how: How) -> narrows::graph::Term {
    if how == How::Exact {
        let each: Vec<_> = outputs.iter().copied().zip(layers.weights.iter().cloned()).collect();
        return contraction(graph.jacobian("jacobian", &each).unwrap());
    }
    let mut t = graph.directions("v", outputs[0].rows, PIXELS).unwrap();
    for (weight, y) in layers.weights.iter().zip(outputs) {
        t = graph.dense("tangent", t, weight, None, Activation::Identity).unwrap();
        t = graph.gate("gated", t, *y).unwrap();
    }
    projected_contraction(t)
}

// Decodes by the encoder's own weights, so that every weight gets gradients from both sides and every hidden
// pre-activation from its value and from its slope.
fn plan(widths: &[u32], activation: Activation, how: How) -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, PIXELS).unwrap();
    let layers = declare(&mut graph, widths);
    let outputs = encode(&mut graph, &layers, x, activation);
    let mut y = *outputs.last().unwrap();
    for weight in layers.weights.iter().rev() {
        y = graph.dense_transposed("decode", y, weight, None, Activation::Tanh).unwrap();
    }
    let penalty = penalty(&mut graph, &layers, &outputs, how);
    graph.minimize(squared_error(y, x) + WEIGHT * penalty).unwrap();
    graph.advance(BATCH).unwrap();
    graph.finish(true)
}

fn images() -> Vec<f32> {
    noise(3, (BATCH * PIXELS) as usize).iter().map(|x| 0.5 + 0.5 * x).collect()
}

const SEED: u64 = 0x1234_5678_9abc;

fn start(replay: &mut Replay) -> narrows::Result<()> {
    replay.write_floats("x", &images())?;
    replay.write_initial(7)?;
    replay.write_state(&State::new(SEED))
}

// Of each line of the ring.
fn first_of_each(replay: &Replay) -> Vec<f32> {
    read(replay, "ring").chunks(Plan::ring_steps() as usize).map(|line| line[0]).collect()
}

fn started(device: &Device, plan: Plan) -> Replay {
    let mut replay = pollster::block_on(Replay::new(device, plan)).unwrap();
    start(&mut replay).unwrap();
    replay
}

// y[j] = sum of w[j, k] x[k]
fn product(w: &[f64], x: &[f64]) -> Vec<f64> {
    w.chunks(x.len()).map(|row| dot(row, x)).collect()
}

// The same two terms in f64, from their definitions: means over the images.
fn defined(plan: &Plan, activation: Activation, how: How, flat: &[f64]) -> [f64; 2] {
    let named = |name: String| {
        let parameter = plan.layout("parameters").unwrap().iter().find(|parameter| parameter.name == name)?;
        Some(&flat[parameter.offset..parameter.offset + parameter.len()])
    };
    let layers: Vec<_> = (0..)
        .map_while(|layer| Some((named(format!("{layer}.weight"))?, named(format!("{layer}.bias"))?)))
        .collect();
    let mut sums = [0.0; 2];
    for (row, x) in images().chunks(PIXELS as usize).enumerate() {
        let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        let (mut y, mut slopes) = (x.clone(), Vec::new());
        for (weight, bias) in &layers {
            let z: Vec<f64> = product(weight, &y).iter().zip(*bias).map(|(z, b)| z + b).collect();
            slopes.push(z.iter().map(|z| activation.slope(*z)).collect::<Vec<_>>());
            y = z.iter().map(|z| activation.value(*z)).collect();
        }
        for (weight, _) in layers.iter().rev() {
            let columns = weight.len() / y.len();
            let line = |k: usize| y.iter().enumerate().map(|(j, y)| y * weight[j * columns + k]).sum::<f64>();
            y = (0..columns).map(|k| line(k).tanh()).collect();
        }
        sums[0] += y.iter().zip(&x).map(|(y, x)| (y - x).powi(2)).sum::<f64>();
        sums[1] += match how {
            How::Exact => {
                let each: Vec<_> = slopes.iter().map(Vec::as_slice).zip(layers.iter().map(|l| l.0)).collect();
                squared_frobenius(&each)
            }
            How::Estimate => {
                let mut t: Vec<f64> = (0..PIXELS).map(|k| direction(row as u32 * PIXELS + k)).collect();
                for ((weight, _), slopes) in layers.iter().zip(&slopes) {
                    t = product(weight, &t).iter().zip(slopes).map(|(t, s)| t * s).collect();
                }
                t.iter().map(|t| t * t).sum()
            }
        };
    }
    sums.map(|sum| sum / f64::from(BATCH))
}

// The first step's.
fn direction(element: u32) -> f64 {
    sign(philox([element / 4, 0, Stream::Projection as u32, 0], key(SEED))[element as usize % 4])
}

fn each_case(mut visit: impl FnMut(&str, Activation, How, Plan)) {
    for widths in WIDTHS {
        for how in [How::Exact, How::Estimate] {
            for activation in Activation::ALL {
                let what = format!("{widths:?} {activation} {how:?}");
                visit(&what, activation, how, plan(widths, activation, how));
            }
        }
    }
}

#[test]
fn values_are_the_jacobians_squared_norm_by_definition() {
    each_case(|what, activation, how, plan| {
        let mut replay = started(&Device::Cpu, plan);
        pollster::block_on(replay.run(1)).unwrap();
        let flat: Vec<f64> = read(&replay, "parameters").iter().map(|p| f64::from(*p)).collect();
        let expected = defined(replay.plan(), activation, how, &flat).map(|value| value as f32);
        assert!(expected[1] > 1e-3, "{what}: nothing to compare");
        let outcome = compare(&first_of_each(&replay), &expected, Tolerance::new(0.0, 2e-6));
        outcome.unwrap_or_else(|mismatch| panic!("{what}: {mismatch}"));
    });
}

#[test]
fn gradients_are_the_central_differences_in_every_weight_and_bias() {
    each_case(|what, activation, how, plan| {
        let mut replay = started(&Device::Cpu, plan);
        pollster::block_on(replay.run(1)).unwrap();
        let gradient = read(&replay, "gradients");
        let flat: Vec<f64> = read(&replay, "parameters").iter().map(|p| f64::from(*p)).collect();
        let objective = |flat: &[f64]| {
            let [reconstruction, penalty] = defined(replay.plan(), activation, how, flat);
            reconstruction + f64::from(WEIGHT) * penalty
        };
        let mut numeric = vec![0.0; flat.len()];
        for parameter in replay.plan().layout("parameters").unwrap().iter() {
            for at in parameter.offset..parameter.offset + parameter.len() {
                let moved = |by: f64| {
                    let mut flat = flat.clone();
                    flat[at] += by;
                    objective(&flat)
                };
                let h = 1e-6;
                numeric[at] = ((moved(h) - moved(-h)) / (2.0 * h)) as f32;
            }
        }
        let outcome = compare(&gradient, &numeric, Tolerance::new(5e-6, 5e-6));
        outcome.unwrap_or_else(|mismatch| panic!("{what}: {mismatch}"));
    });
}

#[test]
fn every_intermediate_result_on_a_device_is_the_references() {
    for device in devices() {
        for (widths, how, activation) in [
            (WIDTHS[0], How::Exact, Activation::Sigmoid),
            (WIDTHS[2], How::Exact, Activation::Gelu),
            (WIDTHS[1], How::Estimate, Activation::Selu),
        ] {
            let plan = plan(widths, activation, how);
            let found = first_difference(&plan, &device, &Device::Cpu, Tolerance::new(1e-5, 1e-5), start);
            let found = pollster::block_on(found).unwrap();
            assert_eq!(found, None, "{widths:?} {activation} {how:?} on {}", title(&device));
        }
    }
}

// One image many times over: each row of the batch draws its own direction, each step draws anew.
#[test]
fn the_estimate_is_without_bias_and_draws_anew_each_step() {
    let (batch, steps) = (256, 16);
    for widths in WIDTHS {
        let plan = |how| {
            let mut graph = Graph::new(batch);
            let x = graph.input("x", batch, PIXELS).unwrap();
            let layers = declare(&mut graph, widths);
            let outputs = encode(&mut graph, &layers, x, Activation::Selu);
            let penalty = penalty(&mut graph, &layers, &outputs, how);
            graph.evaluate(penalty, batch * steps).unwrap();
            graph.advance(batch * steps).unwrap();
            graph.finish(false)
        };
        let run = |how| {
            let mut replay = pollster::block_on(Replay::new(&Device::Cpu, plan(how))).unwrap();
            let image = &images()[..PIXELS as usize];
            replay.write_floats("x", &image.repeat(batch as usize)).unwrap();
            let initial = replay.plan().layout("parameters").unwrap().initial(7);
            replay.write_floats("parameters", &initial).unwrap();
            replay.write_state(&State::new(SEED)).unwrap();
            pollster::block_on(replay.run(steps)).unwrap();
            read(&replay, "contraction").iter().map(|value| f64::from(*value)).collect::<Vec<f64>>()
        };
        let (exact, estimates) = (run(How::Exact)[0], run(How::Estimate));
        let count = estimates.len() as f64;
        assert_eq!(estimates.len(), (batch * steps) as usize);
        let mean = estimates.iter().sum::<f64>() / count;
        let variance = estimates.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let error = (variance / count).sqrt();
        assert!(error > 0.0 && error < 0.05 * exact, "{widths:?}: {exact}, give or take {error}");
        assert!((mean - exact).abs() < 3.0 * error, "{widths:?}: {mean} of {exact}, give or take {error}");
        let (first, second) = estimates.split_at(batch as usize);
        assert_ne!(first, &second[..batch as usize], "{widths:?}: the same directions in two steps");
    }
}

#[test]
fn a_sum_over_more_rows_than_one_product_takes_is_whole() {
    let rows = MatMul::MAX_DEPTH + 70;
    let mut graph = Graph::new(rows);
    let x = graph.input("x", rows, 2).unwrap();
    let weight = graph.parameter("weight", vec![3, 2], Init::Constant(0.5)).unwrap();
    let y = graph.dense("y", x, &weight, None, Activation::Identity).unwrap();
    let back = graph.dense_transposed("back", y, &weight, None, Activation::Identity).unwrap();
    graph.minimize(squared_error(back, x)).unwrap();
    let mut replay = pollster::block_on(Replay::new(&Device::Cpu, graph.finish(true))).unwrap();
    // W is half of ones: y is half the sum of x thrice, and what comes back 3/2 of that half, twice.
    replay.write_floats("x", &[1.0, -3.0].repeat(rows as usize)).unwrap();
    replay.write_floats("parameters", &replay.plan().layout("parameters").unwrap().initial(0)).unwrap();
    pollster::block_on(replay.run(1)).unwrap();
    // z = -1 everywhere, r = -1.5, d = 2 (r - x) = (-5, 3), and dz = (d1 + d2) / 2 = -1.
    let gradient = read(&replay, "gradients");
    let expected = [5.0 - 1.0, -3.0 + 3.0].repeat(3);
    compare(&gradient[..6], &expected, Tolerance::new(1e-4, 1e-4)).unwrap();
}
