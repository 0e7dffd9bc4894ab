//! How many dispatches a step has, and that those that do several layers' work do it right.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::gradients::{after_a_step, check_gradients, noisy_start, read};
use common::numeric::close;
use common::{device, noise};
use narrows::graph::{
    Device, Graph, Init, Padding, Plan, Shape, Tensor, Update, Window, first_difference, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::sums::Sums;
use narrows::model::Model;
use narrows::reference::compare::Tolerance;
use narrows::train::Config;

const MNIST: Shape = Shape::new(28, 28, 1);

fn preset(name: &str) -> Plan {
    let config = Config::preset(name).unwrap();
    let model = Model::new(&config.model, MNIST).unwrap();
    let update = config.train.update(60_000).unwrap();
    model.training(config.train.batch, 60_000, true, &update, false).unwrap()
}

#[test]
fn a_step_of_the_vae_has_at_most_16_dispatches_and_one_of_the_cnn_28() {
    for (name, most) in [("vae", 16), ("cnn", 28)] {
        let plan = preset(name);
        let labels: Vec<&str> = plan.dispatches.iter().map(|dispatch| dispatch.label.as_str()).collect();
        assert!(labels.len() <= most, "{name}: {} dispatches: {labels:#?}", labels.len());
    }
}

const BATCH: u32 = 3;
const IMAGE: Shape = Shape::new(16, 12, 4);

// The sum of so many convolutions of x, of four channels and each with a bias. Where they are `shared`, the first and the last
// have one weight and one bias; otherwise two of the same values.
fn convolutions(layers: usize, shared: bool) -> Plan {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, 16 * 12 * 4).unwrap();
    let window = Window::new([3, 3], [1, 1], Padding::Same);
    let mut weights = Vec::new();
    for layer in 0..layers - usize::from(shared) {
        let values = |count| Init::Values(noise((layer % (layers - 1)) as u64 + 1, count));
        let weight = graph.parameter(format!("{layer}.weight"), vec![4, 3, 3, 4], values(144)).unwrap();
        weights.push((weight, graph.parameter(format!("{layer}.bias"), vec![4], values(4)).unwrap()));
    }
    weights.extend(shared.then(|| weights[0].clone()));
    let mut all: Vec<Tensor> = Vec::new();
    for (weight, bias) in &weights {
        let convolved = graph.conv2d("conv", x, IMAGE, &window, weight, Some(bias), Activation::Tanh);
        all.push(convolved.unwrap().0);
    }
    let y = all.into_iter().reduce(|sum, y| graph.add(sum, y).unwrap()).unwrap();
    graph.minimize(squared_error(y, x)).unwrap();
    graph.finish(true)
}

// The gradient of each parameter after a step that is the reference's.
fn gradients(plan: &Plan) -> BTreeMap<String, Vec<f32>> {
    is_the_references("convolutions", plan);
    let setup = noisy_start((BATCH * 16 * 12 * 4) as usize);
    let flat = read(&after_a_step(&device(), plan, &setup), "gradients");
    let slots = plan.layout("parameters").unwrap().iter();
    slots.map(|slot| (slot.name.clone(), flat[slot.offset..slot.offset + slot.len()].to_vec())).collect()
}

fn sums(plan: &Plan) -> usize {
    plan.dispatches.iter().filter(|dispatch| dispatch.kernel.name() == "sums column_sums").count()
}

fn is_the_references(what: &str, plan: &Plan) {
    let setup = noisy_start((BATCH * 16 * 12 * 4) as usize);
    let close = Tolerance::new(1e-5, 1e-5);
    let found = pollster::block_on(first_difference(plan, &device(), &Device::Cpu, close, &setup)).unwrap();
    assert!(found.is_none(), "{what}: {}", found.unwrap());
}

// Every layer has a weight and a bias in parts. Those of a weight that comes again are summed before others add to it; where
// a dispatch is full, it is done by then.
#[test]
fn the_gradient_of_a_weight_of_two_layers_is_the_sum_of_theirs_however_many_are_summed_at_once() {
    let full = Sums::MOST / 2;
    for (layers, shared, separate) in [(3, 2, 1), (full, 2, 1), (full + 1, 2, 2), (full + 2, 2, 2)] {
        let (one, two) = (convolutions(layers, true), convolutions(layers, false));
        assert_eq!((sums(&one), sums(&two)), (shared, separate), "{layers} layers");
        let (one, two) = (gradients(&one), gradients(&two));
        for (name, gradient) in &one {
            let (layer, of) = name.split_once('.').unwrap();
            let last = two.get(&format!("{}.{of}", layers - 1)).filter(|_| layer == "0");
            for (at, (got, first)) in gradient.iter().zip(&two[name]).enumerate() {
                let expected = first + last.map_or(0.0, |last| last[at]);
                assert!(expected != 0.0, "{name} of {layers} layers has no gradient");
                close(format!("{name} of {layers} layers"), (*got).into(), expected.into(), 2e-3);
            }
        }
    }
}

#[test]
fn an_update_sums_parts_of_its_own_group_alone() {
    let mut graph = Graph::new(BATCH);
    let x = graph.input("x", BATCH, 16 * 12 * 4).unwrap();
    let window = Window::new([3, 3], [1, 1], Padding::Same);
    let mut weight = |group: &str| {
        let init = Init::GlorotUniform { fan_in: 36, fan_out: 36 };
        graph.parameter_of(group, format!("{group}.weight"), vec![4, 3, 3, 4], init).unwrap()
    };
    let [first, second] = [weight("first"), weight("second")];
    let mut convolve =
        |y, weight| graph.conv2d("conv", y, IMAGE, &window, weight, None, Activation::Tanh).unwrap().0;
    let y = convolve(x, &first);
    let z = convolve(y, &second);
    graph.update(Update::new("both").minimize(squared_error(z, x))).unwrap();
    graph.update(Update::new("one").moves(&["first"]).minimize(squared_error(y, x).named("y"))).unwrap();
    let plan = graph.finish(true);
    // Gradients of two groups lie in two buffers.
    assert_eq!(sums(&plan), 3);
    is_the_references("two groups", &plan);
    check_gradients("two groups", &plan, &noisy_start((BATCH * 16 * 12 * 4) as usize));
}
