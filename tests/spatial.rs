//! Pooling, upsampling, batch normalisation and dropout in graphs: to train, to use, and to resume training.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::check_gradients;
use common::{device, noise, title};
use narrows::graph::{
    BatchNorm, Device, Graph, Init, MODEL, Optimizer, Plan, Replay, Shape, Slots, Tensor, Update,
    first_difference, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::{State, floats};
use narrows::model::Registry;
use narrows::reference::compare::{Tolerance, compare};
use narrows::{Error, Result};

const BATCH: u32 = 5;
const IMAGE: Shape = Shape::new(6, 7, 2);
const WIDTH: u32 = 84;

fn weight(graph: &mut Graph, name: &str, fan_out: u32, fan_in: u32) -> narrows::graph::Parameter {
    let (fan_out, fan_in) = (fan_out as usize, fan_in as usize);
    graph.parameter(name, vec![fan_out, fan_in], Init::GlorotUniform { fan_in, fan_out }).unwrap()
}

// Every layer of this file, one used twice, one behind a layer with a slope, one behind a reader that fuses it.
fn record(graph: &mut Graph, window: [u32; 2]) -> [Tensor; 3] {
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let first = weight(graph, "first", 126, WIDTH);
    let first = graph.dense("first", x, &first, None, Activation::Silu).unwrap();
    // Few numbers may lie close together: their inverse deviation shall not magnify what rounding makes of them.
    let declare = |graph: &mut Graph, name: &str, channels: u32, activation: Activation| BatchNorm {
        activation,
        epsilon: 0.1,
        ..BatchNorm::declare(graph, MODEL, name, channels).unwrap()
    };
    let inner = declare(graph, "inner", 3, Activation::Gelu);
    let normal = graph.batch_norm("inner", first, 3, &inner).unwrap();
    let (pooled, shape) = graph.max_pool2d("pooled", normal, Shape::new(6, 7, 3), window, [2, 1]).unwrap();
    let dropped = graph.dropout("dropped", pooled, 0.3).unwrap();
    let (up, shape) = graph.upsample2d("up", dropped, shape, [2, 1]).unwrap();
    let again = graph.batch_norm("again", up, 3, &inner).unwrap();
    let features = shape.columns().unwrap();
    let outer = declare(graph, "outer", features, Activation::Tanh);
    let outer = graph.batch_norm("outer", again, features, &outer).unwrap();
    let last = weight(graph, "last", WIDTH, features);
    let last = graph.dense("last", outer, &last, None, Activation::Identity).unwrap();
    let beside = weight(graph, "beside", WIDTH, 126);
    let beside = graph.dense("beside", first, &beside, None, Activation::Identity).unwrap();
    [x, last, beside]
}

const OVERLAPPING: [u32; 2] = [3, 2];

fn minimized(graph: Graph, window: [u32; 2]) -> Graph {
    updated(graph, window, Update::default())
}

fn updated(mut graph: Graph, window: [u32; 2], update: Update) -> Graph {
    let [x, last, beside] = record(&mut graph, window);
    graph.output("last", last).unwrap();
    let objective = squared_error(last, x) + 0.3 * squared_error(beside, x).named("beside");
    graph.update(update.minimize(objective)).unwrap();
    graph
}

const OPTIMIZER: Optimizer = Optimizer::Sgd { momentum: 0.9, weight_decay: 0.01 };

fn training(keep_all: bool) -> Plan {
    let mut graph = updated(Graph::new(BATCH), OVERLAPPING, Update::default().by(OPTIMIZER, 0.01));
    graph.advance(14).unwrap();
    graph.finish(keep_all)
}

fn start(replay: &mut Replay) -> Result<()> {
    replay.write_floats("x", &noise(3, (BATCH * WIDTH) as usize))?;
    replay.write_initial(7)?;
    replay.write_state(&State::new(9))
}

// Running moments that are nobody's first.
fn start_trained(replay: &mut Replay) -> Result<()> {
    start(replay)?;
    let statistics: Vec<f32> =
        noise(4, replay.plan().layout("statistics").unwrap().words()).iter().map(|x| 1.2 + x).collect();
    replay.write_floats("statistics", &statistics)
}

fn open(device: &Device, plan: Plan, start: fn(&mut Replay) -> Result<()>) -> Replay {
    let mut replay = pollster::block_on(Replay::new(device, plan)).unwrap();
    start(&mut replay).unwrap();
    replay
}

fn run(replay: &mut Replay, steps: u32) {
    pollster::block_on(replay.run(steps)).unwrap();
}

fn read(replay: &Replay, name: &str) -> Vec<u32> {
    pollster::block_on(replay.read(name)).unwrap()
}

// As common's, with a state for dropout.
const CLOSE: Tolerance = Tolerance::new(2e-5, 2e-5);

#[test]
fn every_intermediate_result_is_the_references_in_training_and_in_inference() {
    for (graph, start) in [
        (Graph::new(BATCH), start as fn(&mut Replay) -> Result<()>),
        (Graph::inference(BATCH), start_trained),
    ] {
        let what = if graph.is_training() { "training" } else { "inference" };
        let plan = minimized(graph, OVERLAPPING).finish(true);
        let found = pollster::block_on(first_difference(&plan, &device(), &Device::Cpu, CLOSE, start));
        assert_eq!(found.unwrap(), None, "{what}");
    }
}

#[test]
fn several_steps_are_the_references_and_the_same_with_and_without_shared_memory() {
    let mut reference = open(&Device::Cpu, training(false), start);
    let mut replay = open(&device(), training(false), start);
    let mut kept = open(&device(), training(true), start);
    for replay in [&mut reference, &mut replay, &mut kept] {
        run(replay, 5);
    }
    for name in ["parameters", "statistics", "ring", "last"] {
        let (got, expected) = (read(&replay, name), read(&reference, name));
        let close = Tolerance::new(2e-4, 2e-4);
        let outcome = compare(floats(&got), floats(&expected), close);
        outcome.unwrap_or_else(|mismatch| panic!("{name} on {}: {mismatch}", title(&device())));
        assert_eq!(got, read(&kept, name), "{name}");
    }
}

// A maximum has kinks, which differences step over; of one pixel it has none.
#[test]
fn gradients_are_the_central_differences_of_the_loss_in_training_and_in_inference() {
    let plan = minimized(Graph::new(BATCH), [1, 1]).finish(true);
    check_gradients("training", &plan, &start);
    let plan = minimized(Graph::inference(BATCH), [1, 1]).finish(true);
    check_gradients("inference", &plan, &start_trained);
}

// Windows side by side, whose gradient may pass the activation below: alone, beside another reader, and behind an
// activation on its own, below which something else reads too.
fn side_by_side(window: [u32; 2]) -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let pooled = |graph: &mut Graph, name: &str, y: Tensor| {
        let (pooled, shape) = graph.max_pool2d(&format!("{name} pooled"), y, IMAGE, window, window).unwrap();
        let back = weight(graph, &format!("{name} back"), WIDTH, shape.columns().unwrap());
        let back = graph.dense(&format!("{name} back"), pooled, &back, None, Activation::Identity).unwrap();
        squared_error(back, x).named(name)
    };
    let layer = |graph: &mut Graph, name: &str, activation: Activation| {
        let weight = weight(graph, name, WIDTH, WIDTH);
        graph.dense(name, x, &weight, None, activation).unwrap()
    };
    let alone = layer(&mut graph, "alone", Activation::Silu);
    let among = layer(&mut graph, "among", Activation::Tanh);
    let below = layer(&mut graph, "below", Activation::Identity);
    let behind = graph.activation("behind", below, Activation::Gelu).unwrap();
    let terms =
        [("alone", alone), ("among", among), ("behind", behind)].map(|(name, y)| pooled(&mut graph, name, y));
    let others = [squared_error(among, x).named("among too"), squared_error(below, x).named("below too")];
    let [first, second, third] = terms;
    let [fourth, fifth] = others;
    let objective = first + second + third + fourth + fifth;
    graph.minimize(objective).unwrap();
    graph.finish(true)
}

#[test]
fn gradients_of_pooling_side_by_side_pass_activations_alone_and_among_others() {
    let plan = side_by_side([2, 2]);
    let fused = |plan: &Plan| plan.dispatches.iter().filter(|d| d.label.contains("through")).count();
    assert_eq!(fused(&plan), 2, "{:?}", plan.dispatches.iter().map(|d| &d.label).collect::<Vec<_>>());
    let found = pollster::block_on(first_difference(&plan, &device(), &Device::Cpu, CLOSE, start));
    assert_eq!(found.unwrap(), None);
    let plan = side_by_side([1, 1]);
    check_gradients("side by side", &plan, &start);
}

// Channels of x, two of them, through a layer of its own.
fn normalized(mut graph: Graph) -> Plan {
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let norm = BatchNorm {
        momentum: 0.25,
        ..BatchNorm::declare(&mut graph, MODEL, "norm", IMAGE.channels).unwrap()
    };
    let y = graph.batch_norm("norm", x, IMAGE.channels, &norm).unwrap();
    graph.output("y", y).unwrap();
    graph.finish(false)
}

#[test]
fn a_batch_is_normalized_by_its_own_moments_and_moves_the_running_ones() {
    let x = noise(3, (BATCH * WIDTH) as usize);
    let rows = (BATCH * WIDTH / 2) as f32;
    for device in [device(), Device::Cpu] {
        let mut replay = open(&device, normalized(Graph::new(BATCH)), |replay| replay.write_initial(0));
        replay.write_floats("x", &x).unwrap();
        run(&mut replay, 1);
        let y = read(&replay, "y");
        let statistics = read(&replay, "statistics");
        let layout = replay.plan().layout("statistics").unwrap().clone();
        for channel in 0..2 {
            let of = |values: &[f32]| {
                let values = values.iter().skip(channel).step_by(2);
                let mean = values.clone().sum::<f32>() / rows;
                (mean, values.map(|value| (value - mean).powi(2)).sum::<f32>())
            };
            let (mean, squares) = of(floats(&y));
            assert!(mean.abs() < 1e-5 && (squares / rows - 1.0).abs() < 1e-3, "{mean}, {squares}");
            let (mean, squares) = of(&x);
            let expected = [0.25 * mean, 0.75 + 0.25 * squares / (rows - 1.0)];
            for (statistic, expected) in layout.iter().zip(expected) {
                let got = layout.view(statistic, floats(&statistics))[channel];
                assert!((got - expected).abs() < 1e-5, "{}: {got}, should be {expected}", statistic.name);
            }
        }
    }
}

#[test]
fn in_inference_an_image_does_not_depend_on_the_others_and_statistics_stand_still() {
    let mut replay =
        open(&device(), minimized(Graph::inference(BATCH), OVERLAPPING).finish(false), start_trained);
    let mut x = noise(3, (BATCH * WIDTH) as usize);
    let mut first_row = || {
        replay.write_floats("x", &x).unwrap();
        let before = read(&replay, "statistics");
        run(&mut replay, 1);
        assert_eq!(read(&replay, "statistics"), before);
        x[WIDTH as usize..].iter_mut().for_each(|value| *value *= -3.0);
        read(&replay, "last")[..WIDTH as usize].to_vec()
    };
    let alone = first_row();
    assert_eq!(alone, first_row());
    let mut graph = Graph::inference(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    assert_eq!(graph.dropout("dropped", x, 0.5).unwrap(), x);
    assert!(!graph.is_training() && Graph::new(BATCH).is_training());
}

#[test]
fn two_dropout_layers_of_a_graph_draw_apart_and_each_step_anew() {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    for name in ["a", "b"] {
        let y = graph.dropout(name, x, 0.5).unwrap();
        graph.output(name, y).unwrap();
    }
    graph.advance(14).unwrap();
    let mut replay = open(&device(), graph.finish(false), |replay| {
        replay.write_floats("x", &[1.0; (BATCH * WIDTH) as usize])
    });
    let mut masks = Vec::new();
    for _ in 0..2 {
        run(&mut replay, 1);
        masks.extend([read(&replay, "a"), read(&replay, "b")]);
    }
    for (i, mask) in masks.iter().enumerate() {
        assert!(!masks[..i].contains(mask), "mask {i} repeats one before it");
        assert!(floats(mask).iter().all(|y| *y == 0.0 || *y == 2.0));
    }
}

#[test]
fn training_goes_on_to_the_same_bits_from_what_was_saved() {
    let names = ["parameters", "statistics", "momentum", "rates", "state"];
    let mut whole = open(&device(), training(false), start);
    run(&mut whole, 5);
    let mut first = open(&device(), training(false), start);
    run(&mut first, 3);
    let mut second = open(&device(), training(false), start);
    for name in names {
        second.write(name, &read(&first, name)).unwrap();
    }
    run(&mut second, 2);
    for name in names {
        assert_eq!(read(&second, name), read(&whole, name), "{name}");
    }
    // And without the statistics it would not.
    let mut forgetful = open(&device(), training(false), start);
    forgetful.write("state", &read(&first, "state")).unwrap();
    forgetful.write("parameters", &read(&first, "parameters")).unwrap();
    run(&mut forgetful, 2);
    assert_ne!(read(&forgetful, "statistics"), read(&whole, "statistics"));
}

#[test]
fn what_was_trained_is_copied_with_its_statistics() {
    for device in [device(), Device::Cpu] {
        let mut trained = open(&device, training(false), start);
        run(&mut trained, 2);
        let mut used = open(&device, minimized(Graph::inference(BATCH), OVERLAPPING).finish(false), start);
        used.copy_trained(&trained).unwrap();
        for name in ["parameters", "statistics"] {
            assert_eq!(read(&used, name), read(&trained, name), "{name}");
        }
        let slots = pollster::block_on(trained.read_slots()).unwrap();
        let mut again = open(&device, training(false), start);
        again.write_slots(&slots).unwrap();
        for name in ["parameters", "statistics", "momentum", "rates"] {
            assert_eq!(read(&again, name), read(&trained, name), "{name}");
        }
        let parameters = slots.iter().filter(|(name, _)| !name.contains("running"));
        let mut few = Slots::default();
        parameters
            .for_each(|(name, slot)| few.insert(name.to_owned(), slot.shape.clone(), slot.values.clone()));
        refused(used.write_slots(&few), &["inner.running_mean", "nothing of that name"]);
    }
}

#[test]
fn models_without_statistics_have_no_buffer_for_them() {
    for variant in Registry::built_in().variants() {
        let config = common::step::config(variant);
        let plan = common::step::plan(&config, true);
        assert!(
            plan.layout("statistics").is_err() && !plan.named.contains_key("statistics"),
            "{}",
            variant.name()
        );
        assert!(plan.buffers.iter().all(|buffer| buffer.label != "statistics"));
    }
}

fn refused<T>(result: Result<T>, parts: &[&str]) {
    let message = match result {
        Err(error @ (Error::Shape { .. } | Error::Setting { .. } | Error::TooLarge { .. })) => {
            error.to_string()
        }
        Err(other) => panic!("another kind of error: {other:?}"),
        Ok(_) => "nothing was refused".to_owned(),
    };
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[test]
fn windows_factors_and_rates_that_make_no_sense_are_refused_by_name() {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let foreign = Graph::new(3).input("x", 3, WIDTH).unwrap();
    let other = Shape::new(6, 7, 3);
    refused(graph.max_pool2d("p", x, other, [2, 2], [2, 2]), &["p", "6 x 7 x 3", "84"]);
    refused(graph.max_pool2d("p", foreign, IMAGE, [2, 2], [2, 2]), &["this graph"]);
    refused(graph.max_pool2d("p", x, IMAGE, [7, 2], [1, 1]), &["p", "window", "6 pixels", "7"]);
    refused(graph.max_pool2d("p", x, IMAGE, [0, 2], [1, 1]), &["p", "window", "0"]);
    refused(graph.max_pool2d("p", x, IMAGE, [2, 2], [1, 0]), &["p", "stride", "0"]);
    refused(graph.upsample2d("u", x, other, [2, 2]), &["u", "6 x 7 x 3", "84"]);
    refused(graph.upsample2d("u", x, IMAGE, [0, 2]), &["u", "0"]);
    refused(graph.upsample2d("u", x, IMAGE, [1 << 20, 1 << 20]), &["u", "6291456 x 7340032 x 2"]);
    for rate in [1.0, -0.1, f32::NAN] {
        refused(graph.dropout("d", x, rate), &["d", "rate", "below 1"]);
        let mut graph = Graph::inference(BATCH);
        let x = graph.input("x", BATCH, WIDTH).unwrap();
        refused(graph.dropout("d", x, rate), &["d", "rate", "below 1"]);
    }
}

#[test]
fn normalisations_that_do_not_fit_are_refused_by_name() {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let norm = BatchNorm::declare(&mut graph, MODEL, "norm", 2).unwrap();
    refused(graph.batch_norm("n", x, 0, &norm), &["n", "at least 1"]);
    refused(graph.batch_norm("n", x, 5, &norm), &["n", "5 channels", "84"]);
    refused(graph.batch_norm("n", x, 4, &norm), &["n", "4 numbers", "norm.scale", "[2]"]);
    let confused = BatchNorm { mean: norm.shift.clone(), ..norm.clone() };
    refused(graph.batch_norm("n", x, 2, &confused), &["n", "a statistic", "norm.shift"]);
    let confused = BatchNorm { shift: norm.mean.clone(), ..norm.clone() };
    refused(graph.batch_norm("n", x, 2, &confused), &["n", "a parameter", "norm.running_mean"]);
    let wild = BatchNorm { momentum: 1.5, ..norm.clone() };
    refused(graph.batch_norm("n", x, 2, &wild), &["n", "momentum", "1.5"]);
    let wild = BatchNorm { epsilon: 0.0, ..norm };
    refused(graph.batch_norm("n", x, 2, &wild), &["n", "epsilon", "0"]);
    // One number a channel has no variance, but can be normalized by the running one.
    for (mut graph, fits) in [(Graph::new(1), false), (Graph::inference(1), true)] {
        let x = graph.input("x", 1, 3).unwrap();
        let norm = BatchNorm::declare(&mut graph, MODEL, "norm", 3).unwrap();
        let y = graph.batch_norm("n", x, 3, &norm);
        assert_eq!(y.is_ok(), fits);
        if !fits {
            refused(y, &["n", "variance", "at least 2", "1"]);
        }
    }
}
