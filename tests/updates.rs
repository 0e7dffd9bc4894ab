//! Updates: which groups move and when, what stays, and the errors for a step that says too much.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use common::gradients::check_gradients;
use common::{device, noise};
use narrows::Result;
use narrows::graph::{
    Clip, Device, Graph, Init, Optimizer, Parameter, Phase, Plan, Replay, StoreKind, Tensor, Update, Warmup,
    first_difference, gaussian_kl, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::reference::compare::Tolerance;

const BATCH: u32 = 5;
const WIDTH: u32 = 7;
const SGD: Optimizer = Optimizer::Sgd { momentum: 0.0, weight_decay: 0.0 };

fn weight(graph: &mut Graph, group: &str, name: &str) -> Parameter {
    let width = WIDTH as usize;
    let init = Init::GlorotUniform { fan_in: width, fan_out: width };
    graph.parameter_of(group, name, vec![width, width], init).unwrap()
}

fn layer(graph: &mut Graph, x: Tensor, weight: &Parameter) -> Tensor {
    graph.dense(&weight.name, x, weight, None, Activation::Tanh).unwrap()
}

// Three groups, of which `first` is moved by an update of each step, `second` by one of every few steps, and `third` by
// none; a fourth player reads all of them, detached.
fn players(every: u32, keep_all: bool) -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let [first, second, third] = ["first", "second", "third"].map(|name| weight(&mut graph, name, name));
    let a = layer(&mut graph, x, &first);
    let frozen = layer(&mut graph, a, &third);
    let objective = squared_error(frozen, x).named("through the frozen one");
    graph.update(Update::new("often").moves(&["first"]).minimize(objective).by(SGD, 0.1)).unwrap();
    let cut = graph.detach(a).unwrap();
    let b = layer(&mut graph, cut, &second);
    let rare = Update::new("rare").moves(&["second"]).minimize(squared_error(b, x).named("behind the cut"));
    graph.update(rare.by(Optimizer::ADAM, 0.01).every(every)).unwrap();
    graph.advance(BATCH).unwrap();
    graph.finish(keep_all)
}

fn start(replay: &mut Replay) -> Result<()> {
    replay.write_floats("x", &noise(3, (BATCH * WIDTH) as usize))?;
    replay.write_initial(7)
}

fn open(device: &Device, plan: Plan) -> Replay {
    let mut replay = pollster::block_on(Replay::new(device, plan)).unwrap();
    start(&mut replay).unwrap();
    replay
}

fn read(replay: &Replay, name: &str) -> Vec<f32> {
    pollster::block_on(replay.read_floats(name)).unwrap()
}

#[test]
fn groups_move_when_their_update_runs_and_a_frozen_one_never_does() {
    for device in [device(), Device::Cpu] {
        let mut replay = open(&device, players(3, false));
        let names = ["parameters.first", "parameters.second", "parameters.third"];
        let frozen = read(&replay, names[2]);
        for step in 1..=7 {
            let before = names.map(|name| read(&replay, name));
            pollster::block_on(replay.run(1)).unwrap();
            let moved = [0, 1, 2].map(|at| read(&replay, names[at]) != before[at]);
            assert_eq!(moved, [true, step % 3 == 0, false], "step {step}");
        }
        assert_eq!(read(&replay, names[2]), frozen);
    }
}

#[test]
fn many_steps_in_one_submit_keep_the_periods() {
    for device in [device(), Device::Cpu] {
        let [mut together, mut apart] = [(); 2].map(|()| open(&device, players(3, false)));
        pollster::block_on(together.run(8)).unwrap();
        for _ in 0..8 {
            pollster::block_on(apart.run(1)).unwrap();
        }
        for name in ["parameters.first", "parameters.second", "rates", "ring"] {
            assert_eq!(read(&together, name), read(&apart, name), "{name}");
        }
    }
}

#[test]
fn what_an_update_does_not_move_gets_no_gradient_dispatch() {
    let plan = players(3, true);
    let labels: Vec<&str> = plan.dispatches.iter().map(|dispatch| dispatch.label.as_str()).collect();
    assert!(labels.contains(&"d first.weight") && labels.contains(&"d second.weight"), "{labels:?}");
    assert!(!labels.contains(&"d third.weight"), "{labels:?}");
    assert_eq!(labels.iter().filter(|label| **label == "d first.weight").count(), 1, "{labels:?}");
    let stores: Vec<&str> = plan.stores.iter().map(|store| store.name.as_str()).collect();
    assert!(
        stores.contains(&"momentum.often.first") && stores.contains(&"moment1.rare.second"),
        "{stores:?}"
    );
    assert!(!stores.iter().any(|name| name.contains("moment") && name.contains("third")), "{stores:?}");
}

#[test]
fn a_plan_shows_every_how_many_steps_a_dispatch_runs() {
    let variants = narrows::gpu::Variants::one(narrows::gpu::MatMulVariant::Tile64x4);
    let table = players(3, true).table(&variants);
    let line = |label: &str| table.lines().find(|line| line.contains(label)).unwrap().to_owned();
    assert!(line(" adam.rare.second").ends_with("every 3 steps"), "{table}");
    assert!(!line(" sgd.often.first").contains("every"), "{table}");
    // Its layer is read by the rare update alone; the first is read by both.
    assert!(line("  second ").contains("every 3 steps") && !line("  first ").contains("every"), "{table}");
}

#[test]
fn gradients_of_each_update_are_the_central_differences_of_its_own_terms() {
    check_gradients("players", &players(1, true), &start);
}

#[test]
fn every_intermediate_result_of_several_updates_is_the_references() {
    let close = Tolerance::new(2e-5, 2e-5);
    let (plan, device) = (players(3, true), device());
    let found = first_difference(&plan, &device, &Device::Cpu, close, start);
    assert_eq!(pollster::block_on(found).unwrap(), None);
}

#[test]
fn an_update_sees_the_parameters_that_the_step_found() {
    // Two updates of one group, each with half of a loss, by plain descent: together they are one with the whole.
    let half = |together: bool| {
        let mut graph = Graph::new(BATCH);
        let x = graph.input("x", BATCH, WIDTH).unwrap();
        let w = graph.parameter("w", vec![7, 7], Init::GlorotUniform { fan_in: 7, fan_out: 7 }).unwrap();
        let y = layer(&mut graph, x, &w);
        let half = |name: &str| 0.5 * squared_error(y, x).named(name);
        if together {
            let update = Update::default().minimize(half("one") + half("two"));
            graph.update(update.by(SGD, 0.1)).unwrap();
        } else {
            graph.update(Update::default().minimize(half("one")).by(SGD, 0.1)).unwrap();
            graph.update(Update::new("second").minimize(half("two")).by(SGD, 0.1)).unwrap();
        }
        graph.advance(BATCH).unwrap();
        let mut replay = open(&Device::Cpu, graph.finish(false));
        pollster::block_on(replay.run(4)).unwrap();
        read(&replay, "parameters")
    };
    let (one, two) = (half(true), half(false));
    assert!(one.iter().zip(&two).all(|(a, b)| (a - b).abs() < 1e-6), "{one:?}, {two:?}");
}

fn clipped(clip: Clip) -> Vec<f32> {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let [a, b] = ["a", "b"].map(|name| weight(&mut graph, name, name));
    let hidden = layer(&mut graph, x, &a);
    let y = layer(&mut graph, hidden, &b);
    graph.update(Update::default().minimize(squared_error(y, x)).by(SGD, 1.0).clip(clip)).unwrap();
    graph.advance(BATCH).unwrap();
    let mut replay = open(&device(), graph.finish(false));
    let before = ["parameters.a", "parameters.b"].map(|name| read(&replay, name)).concat();
    pollster::block_on(replay.run(1)).unwrap();
    let after = ["parameters.a", "parameters.b"].map(|name| read(&replay, name)).concat();
    before.iter().zip(&after).map(|(before, after)| before - after).collect()
}

#[test]
fn gradients_are_clipped_by_the_norm_of_all_groups_or_number_by_number() {
    let norm = |moves: &[f32]| moves.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let free = clipped(Clip::default());
    let whole = norm(&free);
    let limit = 0.25 * whole as f32;
    let scaled = clipped(Clip { norm: Some(limit), value: None });
    assert!((norm(&scaled) - f64::from(limit)).abs() < 1e-4 * whole, "{} of {limit}", norm(&scaled));
    assert!(free.iter().zip(&scaled).all(|(a, b)| (0.25 * a - b).abs() < 1e-5));
    let loose = clipped(Clip { norm: Some(2.0 * whole as f32), value: None });
    assert_eq!(loose, free);
    let largest = free.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let cut = clipped(Clip { norm: None, value: Some(0.5 * largest) });
    assert!(free.iter().zip(&cut).all(|(a, b)| (a.clamp(-0.5 * largest, 0.5 * largest) - b).abs() < 1e-5));
}

// Its terms have no values in the other steps.
#[test]
fn means_are_kept_where_the_step_is_counted_but_for_those_of_an_update_that_skips_steps() {
    let kept = |every| {
        let plan = players(every, false);
        let means = plan.dispatches.into_iter().filter(|dispatch| dispatch.label.starts_with("mean "));
        means.map(|dispatch| (dispatch.label, dispatch.every)).collect::<Vec<_>>()
    };
    let together = "mean through the frozen one, behind the cut; advance";
    assert_eq!(kept(1), [(together.to_owned(), vec![1])]);
    let rare = ("mean behind the cut".to_owned(), vec![3]);
    assert_eq!(kept(3), [rare, ("mean through the frozen one; advance".to_owned(), vec![1])]);
}

#[test]
fn a_weight_comes_in_over_the_first_steps_and_the_value_is_reported_whole() {
    let plan = |warmup: Warmup| {
        let mut graph = Graph::new(BATCH);
        let x = graph.input("x", BATCH, 6).unwrap();
        let w = graph.parameter("w", vec![6, 6], Init::GlorotUniform { fan_in: 6, fan_out: 6 }).unwrap();
        let stats = graph.dense("stats", x, &w, None, Activation::Identity).unwrap();
        let kl = gaussian_kl(stats.gaussian().unwrap()).warmed_up(warmup);
        graph.update(Update::default().minimize(kl).by(SGD, 0.1)).unwrap();
        graph.advance(BATCH).unwrap();
        graph.finish(false)
    };
    let run = |warmup: Warmup| {
        let mut replay = pollster::block_on(Replay::new(&device(), plan(warmup))).unwrap();
        replay.write_floats("x", &noise(3, 30)).unwrap();
        replay.write_initial(7).unwrap();
        let before = read(&replay, "parameters");
        pollster::block_on(replay.run(1)).unwrap();
        let moved = read(&replay, "parameters").iter().zip(&before).map(|(a, b)| a - b).collect::<Vec<_>>();
        pollster::block_on(replay.run(1)).unwrap();
        (moved, read(&replay, "ring")[..2].to_vec(), read(&replay, "parameters") != before)
    };
    let (at_once, values, _) = run(Warmup::NONE);
    let (moved, warmed, later) = run(Warmup { steps: 4, cycles: 1, rise: 1.0 });
    assert!(at_once.iter().any(|x| *x != 0.0) && moved.iter().all(|x| *x == 0.0) && later);
    assert_eq!(warmed[0], values[0]);
}

#[test]
fn a_step_that_says_something_twice_is_refused_by_name() {
    let refused = |result: Result<()>, parts: &[&str]| {
        let message = result.err().map_or("nothing was refused".to_owned(), |error| error.to_string());
        parts.iter().for_each(|part| assert!(message.contains(part), "{part:?} is missing in: {message}"));
    };
    let graph = || {
        let mut graph = Graph::new(BATCH);
        let x = graph.input("x", BATCH, WIDTH).unwrap();
        let w = weight(&mut graph, "model", "w");
        let y = layer(&mut graph, x, &w);
        (graph, x, y)
    };
    let (mut twice, x, y) = graph();
    twice.minimize(squared_error(y, x)).unwrap();
    refused(twice.minimize(squared_error(y, x).named("again")), &["update model", "no other update"]);
    refused(
        twice.update(Update::new("b").minimize(squared_error(y, x))),
        &["reconstruction", "no other term"],
    );
    refused(
        twice.update(Update::new("b").moves(&["critic"]).minimize(squared_error(y, x))),
        &["critic", "model"],
    );
    refused(
        twice.update(Update::new("b").moves(&["model", "model"]).minimize(squared_error(y, x).named("b"))),
        &["update b moves", "each group once", "model twice"],
    );
    refused(twice.update(Update::new("empty")), &["update empty", "terms"]);
    let none = Update::new("b").minimize(squared_error(y, x).named("b")).every(0);
    refused(twice.update(none), &["update b", "at least 1 step"]);
    let (mut late, x, y) = graph();
    late.update(Update::default().minimize(squared_error(y, x)).by(SGD, 0.1)).unwrap();
    let init = || Init::Constant(0.0);
    refused(late.parameter("late", vec![3], init()).map(drop), &["parameter late", "no update moves"]);
    refused(late.parameter_of("other", "w", vec![3], init()).map(drop), &["parameter w", "name of its own"]);
    late.advance(BATCH).unwrap();
    refused(late.advance(BATCH), &["advance", "once per step"]);
    refused(
        late.update(Update::new("b").minimize(squared_error(y, x).named("b"))),
        &["before the step's advance"],
    );
}

#[test]
fn what_follows_a_refused_update_is_part_of_none() {
    let mut graph = Graph::new(BATCH);
    let [x, wide] = [WIDTH, WIDTH + 1].map(|width| graph.input(&format!("{width}"), BATCH, width).unwrap());
    let w = weight(&mut graph, "model", "w");
    let y = layer(&mut graph, x, &w);
    let refused = Update::new("rare").every(3).minimize(squared_error(y, x) + squared_error(y, wide));
    assert!(graph.update(refused).is_err());
    graph.exp(y).unwrap();
    let plan = graph.finish(true);
    let last = plan.dispatches.last().unwrap();
    assert_eq!((last.label.as_str(), last.phase, &last.every[..]), ("exp", Phase::Forward, &[1][..]));
}

// Moments are named after update and group, and a plain model's name is left out: here both are `moment1.critic`.
#[test]
fn two_updates_whose_moments_have_one_name_are_refused() {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, WIDTH).unwrap();
    let [own, critic] = ["model", "critic"].map(|group| weight(&mut graph, group, group));
    let [y, z] = [&own, &critic].map(|weight| layer(&mut graph, x, weight));
    let first = Update::default().moves(&["critic"]).minimize(squared_error(z, x).named("first"));
    graph.update(first.by(Optimizer::ADAM, 0.1)).unwrap();
    let second = Update::new("critic").moves(&["model"]).minimize(squared_error(y, x).named("second"));
    let said = graph.update(second.by(Optimizer::ADAM, 0.1)).unwrap_err().to_string();
    assert!(
        said.contains("update critic: expected a name") && said.contains("moment1.critic again"),
        "{said}"
    );
}

// The same step by products with tensors of the weights and by layers of them.
#[test]
fn a_parameter_read_as_a_tensor_moves_as_it_does_in_a_layer() {
    let plan = |tensors: bool| {
        let mut graph = Graph::new(BATCH);
        let x = graph.input("x", BATCH, WIDTH).unwrap();
        let weights = ["model", "critic"].map(|group| weight(&mut graph, group, group));
        let read = weights.each_ref().map(|weight| graph.tensor_of(weight).unwrap());
        let mut y = x;
        let updates = [(&["model"][..], Optimizer::ADAM, 2), (&["critic"], SGD, 3), (&[], SGD, 1)];
        for (name, (groups, optimizer, every)) in ["a", "b", "c"].iter().zip(updates) {
            for (weight, read) in weights.iter().zip(read) {
                let z = match tensors {
                    true => graph.matmul(y, read),
                    false => graph.dense_transposed("z", y, weight, None, Activation::Identity),
                };
                y = graph.activation("y", z.unwrap(), Activation::Tanh).unwrap();
            }
            let update = Update::new(*name).moves(groups).minimize(squared_error(y, x).named(*name));
            graph.update(update.by(optimizer, 0.01).every(every)).unwrap();
        }
        graph.advance(BATCH).unwrap();
        graph.finish(false)
    };
    for device in [device(), Device::Cpu] {
        let [with, without] = [true, false].map(|tensors| {
            let mut replay = open(&device, plan(tensors));
            pollster::block_on(replay.run(13)).unwrap();
            ["parameters", "parameters.critic", "moment2.a", "momentum.c.critic"]
                .map(|name| read(&replay, name))
        });
        for (a, b) in with.iter().flatten().zip(without.iter().flatten()) {
            assert!((a - b).abs() < 1e-5, "{a} by tensors, {b} by layers");
        }
    }
}

#[test]
fn two_samples_of_one_code_and_two_draws_are_independent() {
    for device in [device(), Device::Cpu] {
        let mut graph = Graph::new(BATCH);
        let stats = graph.input("stats", BATCH, 2 * WIDTH).unwrap();
        let code = stats.gaussian().unwrap();
        let drawn = [
            graph.reparameterize(code).unwrap(),
            graph.reparameterize(code).unwrap(),
            graph.directions("v", BATCH, WIDTH).unwrap(),
            graph.directions("w", BATCH, WIDTH).unwrap(),
            graph.normal("n", BATCH, WIDTH).unwrap(),
            graph.normal("m", BATCH, WIDTH).unwrap(),
            graph.uniform("u", BATCH, WIDTH).unwrap(),
        ];
        for (at, tensor) in drawn.iter().enumerate() {
            graph.output(&format!("draw {at}"), *tensor).unwrap();
        }
        graph.advance(BATCH).unwrap();
        let plan = graph.finish(false);
        let kinds: Vec<StoreKind> = plan.stores.iter().map(|store| store.kind).collect();
        assert_eq!(kinds, [StoreKind::Parameters]);
        let mut replay = pollster::block_on(Replay::new(&device, plan)).unwrap();
        replay.write_initial(7).unwrap();
        pollster::block_on(replay.run(1)).unwrap();
        let draws: Vec<Vec<f32>> = (0..7).map(|at| read(&replay, &format!("draw {at}"))).collect();
        for (at, draw) in draws.iter().enumerate() {
            assert!(!draws[..at].contains(draw), "draw {at} repeats one before it");
        }
    }
}
