//! What a graph and its replay refuse, and how they say it.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::device;
use common::step::{BATCH, PIXELS, TOTAL, config, plan, start};
use narrows::graph::{
    Augmentation, BatchNorm, Device, Graph, Images, Init, MODEL, Objective, Optimizer, Parameter, Placement,
    Plan, Replay, Rows, Shape, Tensor, Update, gaussian_kl, gaussian_nll, learned_gaussian_nll,
    squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::reduce::ColumnSum;
use narrows::model::Registry;
use narrows::{Error, Result};
use narrows_shaders::MAX_SHARED_ROW;

// The error, as shown to the user.
fn refusal<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => "nothing was refused".to_owned(),
        Err(error @ (Error::Shape { .. } | Error::Setting { .. } | Error::TooLarge { .. })) => {
            error.to_string()
        }
        Err(other) => format!("another kind of error: {other:?}"),
    }
}

fn mentions<T>(result: Result<T>, parts: &[&str]) {
    let message = refusal(result);
    for part in parts {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

fn weight(graph: &mut Graph, shape: Vec<usize>) -> Parameter {
    graph.parameter(format!("w{shape:?}"), shape, Init::Constant(0.0)).unwrap()
}

fn minimize(mut graph: Graph, objective: impl Into<Objective>) -> Result<()> {
    graph.minimize(objective)
}

fn input(rows: u32, columns: u32) -> (Graph, Tensor) {
    let mut graph = Graph::new(rows);
    let x = graph.input("x", rows, columns).unwrap();
    (graph, x)
}

fn batch_of(mut graph: Graph, total: u32, pixels: u32) -> Result<Graph> {
    let images = Images {
        total,
        shape: Shape::flat(pixels),
        rows: Rows::Bytes,
        placement: Placement::Whole,
        center: false,
        classes: 0,
    };
    graph.batch(images, true, Augmentation::default(), None).map(|_| graph)
}

#[test]
fn a_batch_must_be_one_to_as_many_images_as_there_are() {
    for batch in [0, TOTAL + 1] {
        mentions(batch_of(Graph::new(batch), TOTAL, PIXELS), &["batch", "14", &batch.to_string()]);
    }
    assert!(batch_of(Graph::new(TOTAL), TOTAL, PIXELS).is_ok());
    mentions(batch_of(Graph::new(1), 1, 0), &["pixels", "at least 1"]);
}

#[test]
fn a_data_set_of_four_gibibytes_is_too_large_to_count() {
    let pixels = 1 << 16;
    assert!(batch_of(Graph::new(1), (1 << 16) - 1, pixels).is_ok());
    mentions(batch_of(Graph::new(1), 1 << 16, pixels), &["images", "4294967296"]);
}

#[test]
fn widths_that_do_not_fit_are_refused_by_name() {
    let (mut graph, x) = input(4, 7);
    let dense = |graph: &mut Graph, weight: &Parameter, bias: Option<&Parameter>| {
        graph.dense("layer", x, weight, bias, Activation::Relu)
    };
    let good = weight(&mut graph, vec![5, 7]);
    let narrow = weight(&mut graph, vec![5, 6]);
    let flat = weight(&mut graph, vec![35]);
    let bias = weight(&mut graph, vec![6]);
    mentions(dense(&mut graph, &narrow, None), &["layer", "[out, 7]", "[5, 6]"]);
    mentions(dense(&mut graph, &flat, None), &["layer", "[out, 7]", "[35]"]);
    mentions(dense(&mut graph, &good, Some(&bias)), &["layer", "[5]", "[6]"]);
    // Both fit the same padded buffer.
    let other = graph.input("other", 4, 8).unwrap();
    mentions(minimize(graph, squared_error(x, other)), &["reconstruction", "[4, 7]", "[4, 8]"]);
    let (graph, x) = input(4, 7);
    mentions(x.gaussian(), &["even", "7"]);
    let mut graph = graph;
    let more = graph.input("more rows", 5, 7).unwrap();
    mentions(minimize(graph, squared_error(more, more)), &["batch of 4", "5"]);
}

#[test]
fn what_belongs_to_another_graph_is_refused() {
    let (mut first, _) = input(4, 7);
    let foreign = first.input("second", 4, 9).unwrap();
    let foreign_weight = weight(&mut first, vec![9, 9]);
    let (mut graph, x) = input(4, 7);
    mentions(graph.output("y", foreign), &["this graph"]);
    mentions(graph.activation("y", foreign, Activation::Relu), &["this graph"]);
    mentions(graph.dense("y", x, &foreign_weight, None, Activation::Relu), &["this graph", "w"]);
    let code = first.input("code", 4, 2).and_then(Tensor::gaussian);
    mentions(code.and_then(|code| graph.reparameterize(code)), &["this graph"]);
    mentions(minimize(graph, squared_error(x, foreign)), &["this graph"]);
}

#[test]
fn a_tensor_of_another_graph_is_refused_even_where_it_is_of_the_same_place_and_shape() {
    let (_, foreign) = input(4, 7);
    let (mut graph, x) = input(4, 7);
    mentions(graph.exp(foreign), &["exp", "this graph", "[4, 7]"]);
    assert!(graph.exp(x).is_ok());
    let mut wider = x;
    wider.columns = 8;
    mentions(graph.exp(wider), &["exp", "this graph", "[4, 8]"]);
}

// It would take the place of what the host writes there.
#[test]
fn a_name_that_another_range_has_is_refused() {
    let (mut graph, x) = input(4, 7);
    for name in ["x", "state", "parameters"] {
        mentions(graph.output(name, x), &["a name that nothing else", name]);
    }
    mentions(graph.input("x", 4, 7), &["a name that nothing else", "got x"]);
    assert!(graph.output("y", x).is_ok());
    mentions(
        graph.evaluate(squared_error(x, x).named("y"), 9),
        &["term", "a name that nothing else", "got y"],
    );
}

#[test]
fn tensors_of_more_numbers_than_32_bits_count_are_refused() {
    let mut graph = Graph::new(4);
    mentions(
        graph.input("x", 1 << 16, 1 << 16),
        &["x", "65536, 65536", "17179869184 bytes", "smaller batch"],
    );
    assert!(graph.input("x", (1 << 16) - 1, 1 << 16).is_ok());
}

// The gradient of a repetition is a column sum, which takes no more.
#[test]
fn rows_that_repeat_too_often_are_refused_where_they_are_recorded() {
    let (mut graph, x) = input(1, 1);
    let limit = format!("between 1 and {}", ColumnSum::MAX_CHUNK);
    for times in [0, ColumnSum::MAX_CHUNK + 1] {
        mentions(graph.repeat_rows(x, times), &["repeat", &limit, &format!("got {times}")]);
    }
    assert_eq!(graph.repeat_rows(x, 1).unwrap(), x);
    let w = weight(&mut graph, vec![1, 1]);
    let y = graph.dense("layer", x, &w, None, Activation::Identity).unwrap();
    let most = graph.repeat_rows(y, ColumnSum::MAX_CHUNK).unwrap();
    assert_eq!(refusal(minimize(graph, most.term("most"))), "nothing was refused");
}

#[test]
fn parameters_of_too_many_numbers_or_without_a_range_to_start_in_are_refused_by_name() {
    let mut graph = Graph::new(1);
    for shape in [vec![usize::MAX, 2], vec![usize::MAX], vec![1 << 16, 1 << 16]] {
        let expected = format!("parameter w {shape:?}");
        mentions(graph.parameter("w", shape, Init::Constant(0.0)), &[&expected, "allows 17179869180"]);
    }
    let (bound, fan_in) = (f32::NAN, usize::MAX);
    for init in [
        Init::Uniform { bound },
        Init::Uniform { bound: 0.0 },
        Init::Uniform { bound: f32::MAX },
        Init::HeUniform { fan_in: 0 },
        Init::GlorotUniform { fan_in: 0, fan_out: 0 },
    ] {
        mentions(graph.slot("s", vec![3], init), &["first values of s", "a positive bound"]);
    }
    for init in [Init::Constant(f32::NAN), Init::Values(vec![1.0, f32::INFINITY, 0.0])] {
        mentions(graph.parameter("w", vec![3], init), &["first values of w", "finite numbers"]);
    }
    assert!(graph.parameter("w", vec![3], Init::GlorotUniform { fan_in, fan_out: 2 }).is_ok());
}

// In a checkpoint both would be `moment1.w`.
#[test]
fn a_parameter_with_the_name_of_a_moment_is_refused() {
    let (mut graph, x) = input(4, 7);
    let init = || Init::Constant(0.0);
    let [w, _] = ["w", "moment1.w"].map(|name| graph.parameter(name, vec![7, 7], init()).unwrap());
    let y = graph.dense("y", x, &w, None, Activation::Identity).unwrap();
    let update = Update::default().minimize(squared_error(y, x)).by(Optimizer::ADAM, 0.1);
    mentions(graph.update(update), &["parameter moment1.w", "a name of its own"]);
}

#[test]
fn weights_and_optimizers_that_make_no_finite_step_are_refused() {
    let adam =
        |beta1, epsilon| Optimizer::Adam { beta1, beta2: 0.9, epsilon, weight_decay: 0.0, decoupled: false };
    for (by, optimizer, parts) in [
        (f32::NAN, Optimizer::ADAM, ["weight of the term reconstruction", "got NaN"]),
        (1.0, Optimizer::Sgd { momentum: 1.0, weight_decay: 0.0 }, ["update model", "momentum: 1.0"]),
        (
            1.0,
            Optimizer::Sgd { momentum: 0.0, weight_decay: f32::NAN },
            ["update model", "weight_decay: NaN"],
        ),
        (1.0, adam(f64::NAN, 1e-8), ["update model", "beta1: NaN"]),
        (1.0, adam(0.9, 0.0), ["update model", "epsilon: 0.0"]),
    ] {
        let (mut graph, x) = input(4, 7);
        let w = weight(&mut graph, vec![7, 7]);
        let y = graph.dense("y", x, &w, None, Activation::Identity).unwrap();
        let term = squared_error(y, x).weighted(by, "weight");
        mentions(graph.update(Update::default().minimize(term).by(optimizer, 0.1)), &parts);
    }
}

#[test]
fn a_group_that_the_terms_of_its_update_do_not_depend_on_is_refused() {
    let (mut graph, x) = input(4, 7);
    let w = graph.parameter_of("critic", "w", vec![7, 7], Init::Constant(0.0)).unwrap();
    let y = graph.dense("y", x, &w, None, Activation::Identity).unwrap();
    let cut = graph.detach(y).unwrap();
    let update = Update::new("b").moves(&["critic"]).minimize(squared_error(cut, x));
    mentions(graph.update(update), &["update b moves", "terms depend on", "got critic"]);
}

#[test]
fn a_normalisation_whose_pairs_are_apart_is_refused() {
    let (mut graph, x) = input(4, 7);
    let norm = BatchNorm::declare(&mut graph, MODEL, "norm", 7).unwrap();
    let other = graph.parameter_of("other", "other", vec![7], Init::Constant(0.0)).unwrap();
    let slot = graph.slot("slot", vec![7], Init::Constant(0.0)).unwrap();
    let apart = BatchNorm { shift: other, ..norm.clone() };
    mentions(graph.batch_norm("layer", x, 7, &apart), &["layer", "of one group", "norm.scale and other"]);
    let apart = BatchNorm { variance: slot, ..norm.clone() };
    mentions(graph.batch_norm("layer", x, 7, &apart), &["statistics", "norm.running_mean and slot"]);
    let same = BatchNorm { variance: norm.mean.clone(), ..norm.clone() };
    mentions(graph.batch_norm("layer", x, 7, &same), &["norm.running_mean and norm.running_mean"]);
    assert!(graph.batch_norm("layer", x, 7, &norm).is_ok());
}

#[test]
fn a_deviation_must_be_positive() {
    for deviation in [0.0, -1.0, f32::NAN] {
        let (graph, x) = input(4, 7);
        mentions(minimize(graph, gaussian_nll(x, x, deviation)), &["deviation", "positive"]);
    }
}

#[test]
fn a_learned_variance_is_one_number() {
    let (mut graph, x) = input(4, 7);
    let two = weight(&mut graph, vec![2]);
    mentions(minimize(graph, learned_gaussian_nll(x, x, &two)), &["log variance", "[2]"]);
}

// Beyond these some drivers end a loop early, without a word.
#[test]
fn extents_beyond_a_kernels_limit_are_refused() {
    let limited = |limit: u32, message: String| {
        assert!(message.contains(&format!("between 1 and {limit}")), "{message}");
    };
    let (graph, x) = input(1, MAX_SHARED_ROW + 1);
    limited(MAX_SHARED_ROW, refusal(minimize(graph, squared_error(x, x))));
    let (graph, x) = input(1, 2 * (MAX_SHARED_ROW + 1));
    limited(MAX_SHARED_ROW, refusal(x.gaussian().and_then(|code| minimize(graph, gaussian_kl(code)))));
    let (mut graph, x) = input(ColumnSum::MAX_CHUNK + 1, 1);
    let variance = weight(&mut graph, vec![1]);
    limited(ColumnSum::MAX_CHUNK, refusal(minimize(graph, learned_gaussian_nll(x, x, &variance))));
}

#[test]
fn unknown_names_and_wrong_lengths_are_refused() {
    let config = config(Registry::built_in().variant("linear").unwrap());
    for device in [device(), Device::Cpu] {
        let mut replay = pollster::block_on(Replay::new(&device, plan(&config, false))).unwrap();
        mentions(replay.write("pictures", &[0]), &["pictures", "images", "parameters"]);
        mentions(pollster::block_on(replay.read("pictures")), &["pictures", "images"]);
        mentions(replay.submit(1, "pictures"), &["pictures", "images"]);
        mentions(replay.write("center", &[0; 26]), &["center", "27 words", "26 words"]);
        mentions(replay.write_floats("parameters", &[]), &["parameters", "0 words"]);
        mentions(replay.submit(Plan::ring_steps() + 1, "state"), &["at most 64", "65"]);
    }
}

#[test]
fn a_range_is_copied_between_replays_of_one_device_and_length_only() {
    let small = config(Registry::built_in().variant("linear").unwrap());
    let mut large = small.clone();
    large.model.latent = 9;
    let open = |device: &Device, config| {
        let mut replay = pollster::block_on(Replay::new(device, plan(config, false))).unwrap();
        start(config, &mut replay).unwrap();
        replay
    };
    let this = device();
    let other = common::devices().next().unwrap();
    for (device, stranger) in [(&this, &other), (&this, &Device::Cpu), (&Device::Cpu, &this)] {
        let mut replay = open(device, &small);
        let mut trained = open(device, &small);
        pollster::block_on(trained.run(2)).unwrap();
        replay.copy_from("parameters", &trained).unwrap();
        let read = |replay: &Replay| pollster::block_on(replay.read("parameters")).unwrap();
        assert_eq!(read(&replay), read(&trained));
        mentions(replay.copy_from("parameters", &open(device, &large)), &["copy parameters"]);
        mentions(replay.copy_from("parameters", &open(stranger, &small)), &["two devices"]);
        mentions(replay.copy_from("pictures", &trained), &["pictures"]);
    }
}

#[test]
fn a_buffer_beyond_the_devices_limit_is_refused_with_both_sizes() {
    let Device::Gpu(gpu) = device() else { panic!("the tests' device is a GPU's") };
    let allowed = gpu.device.limits().max_storage_buffer_binding_size;
    let pixels = 1 << 16;
    let images = allowed / u64::from(pixels) + 1;
    // Where the device allows all that 32 bits count, that limit is the first to be met.
    let refused = batch_of(Graph::new(BATCH), u32::try_from(images).unwrap_or(u32::MAX), pixels)
        .and_then(|graph| pollster::block_on(Replay::new(&device(), graph.finish(false))));
    mentions(refused.map(|_| ()), &["images", "bytes", "smaller"]);
}

#[test]
#[allow(clippy::reversed_empty_ranges)]
fn a_limit_that_no_value_keeps_says_so() {
    let call = narrows::kernels::Call::new(&narrows_shaders::activation::SHADER, "forward");
    let said = call.limit("numbers in a line", 3_u32, 1..=0).check().unwrap_err().to_string();
    assert_eq!(
        said,
        "numbers in a line: expected smaller extents beside it, with which a value is possible, got 3"
    );
}
