//! Finding the wrong dispatch: one is planted at every place of a step, and must be named.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use common::step::{config, plan, start};
use common::{device, faults, noise};
use narrows::graph::{
    Device, Difference, Graph, Init, Optimizer, Phase, Plan, Replay, Update, first_difference, squared_error,
};
use narrows::kernels::activation::Activation;
use narrows::kernels::floats_mut;
use narrows::model::Registry;
use narrows::reference::compare::Tolerance;
use narrows::train::Config;

// What the last dispatch of a step writes: the means of its terms, the state, and learning rates and corrections.
const STATE: usize = 1;
const RATES: usize = 2;

// A plan in which a word of an array that a dispatch writes comes out otherwise by the reference.
fn spoilt(plan: &Plan, dispatch: usize, [array, word]: [usize; 2], spoil: fn(u32) -> u32) -> Plan {
    faults::spoilt(plan, dispatch, move |writes| writes[array][word] = spoil(writes[array][word]))
}

fn find(plan: &Plan, config: &Config) -> Option<Difference> {
    let setup = |replay: &mut Replay| start(config, replay);
    let close = Tolerance::new(1e-5, 1e-5);
    pollster::block_on(first_difference(plan, &device(), &Device::Cpu, close, setup)).unwrap()
}

#[test]
fn a_wrong_dispatch_is_named_wherever_it_stands() {
    for variant in Registry::built_in().variants() {
        let config = config(variant);
        let plan = plan(&config, true);
        assert_eq!(find(&plan, &config), None, "{} as it is", variant.name());
        for (at, dispatch) in plan.dispatches.iter().enumerate() {
            // The neighbouring image, or a float whose exponent is far off.
            let spoil = if dispatch.kernel.name() == "batch permute" { |w| w ^ 1 } else { |w| w ^ (1 << 30) };
            let found = find(&spoilt(&plan, at, [0, 0], spoil), &config);
            let found = found.unwrap_or_else(|| panic!("{}: {} is missed", variant.name(), dispatch.label));
            assert_eq!((found.dispatch, &found.label), (at, &dispatch.label), "{found}");
        }
    }
}

// As floats, the step's number is a denormal: wrong by one it would pass at any tolerance.
#[test]
fn whole_numbers_that_are_off_by_one_are_found() {
    let config = config(Registry::built_in().variant("mlp").unwrap());
    let plan = plan(&config, true);
    let last = plan.dispatches.len() - 1;
    for (word, name) in [(0, "seed"), (2, "step"), (3, "epoch"), (4, "cursor")] {
        let found = find(&spoilt(&plan, last, [STATE, word], |w| w.wrapping_add(1)), &config);
        assert_eq!(
            found.map(|found| (found.dispatch, found.buffer)),
            Some((last, "state".to_owned())),
            "{name}"
        );
    }
    let plan = spoilt(&plan, last, [RATES, 1], |w| (f32::from_bits(w) + 0.01).to_bits());
    assert_eq!(find(&plan, &config).map(|found| found.buffer), Some("rates".to_owned()));
}

// The learning rate is all the smaller for being a learning rate.
#[test]
fn small_numbers_that_are_slightly_off_are_found() {
    let mut config = config(Registry::built_in().variant("mlp").unwrap());
    config.train.learning_rate = 1e-6;
    let plan = plan(&config, true);
    let last = plan.dispatches.len() - 1;
    let slightly = |w| (1.001 * f32::from_bits(w)).to_bits();
    let found = find(&spoilt(&plan, last, [RATES, 0], slightly), &config);
    assert_eq!(found.map(|found| found.buffer), Some("rates".to_owned()));
}

// Adam's first step divides a gradient by its own size: where it nearly cancels with the weight decay, that is rounding.
#[test]
fn a_gradient_that_cancels_with_the_weight_decay_is_no_difference_and_hides_none() {
    const WIDTH: usize = 256;
    let (x, others) = (noise(1, WIDTH), noise(2, WIDTH));
    let nearly = |i: usize| -0.01 * x[i] * (1.0 + 2e-7 * (i as f32 - 64.0));
    let first = (0..WIDTH).map(|i| if i < WIDTH / 2 { nearly(i) } else { 0.1 * others[i] }).collect();
    let mut graph = Graph::new(1);
    let input = graph.input("x", 1, WIDTH as u32).unwrap();
    let weight = graph.parameter("w", vec![1, WIDTH], Init::Values(first)).unwrap();
    let y = graph.dense("y", input, &weight, None, Activation::Identity).unwrap();
    let (beta1, beta2, epsilon, weight_decay) = (0.9, 0.999, 1e-8, 0.1);
    let adam = Optimizer::Adam { beta1, beta2, epsilon, weight_decay, decoupled: false };
    graph.update(Update::default().minimize(1e-3 * y.term("y")).by(adam, 0.01)).unwrap();
    graph.advance(1).unwrap();
    let plan = graph.finish(true);
    let find = |plan: &Plan| {
        let setup = |replay: &mut Replay| {
            replay.write_floats("x", &x)?;
            replay.write_initial(1)
        };
        let close = Tolerance::new(1e-5, 1e-5);
        pollster::block_on(first_difference(plan, &device(), &Device::Cpu, close, setup)).unwrap()
    };
    assert_eq!(find(&plan), None);
    let adam = plan.dispatches.iter().position(|dispatch| dispatch.label == "adam").unwrap();
    for (array, plan) in faults::faults(&plan, adam).iter().enumerate() {
        assert_eq!(find(plan).map(|found| found.dispatch), Some(adam), "array {array}");
    }
}

// Its allowance must not hide a wrong formula: what an optimizer writes, or moves, is off by a hundredth.
#[test]
fn a_hundredth_in_an_optimizers_results_or_moves_is_found() {
    const WIDTH: usize = 40;
    let adam = |decoupled| Optimizer::Adam {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.01,
        decoupled,
    };
    let sgd = Optimizer::Sgd { momentum: 0.9, weight_decay: 0.01 };
    for optimizer in [Optimizer::ADAM, adam(false), adam(true), sgd] {
        let mut graph = Graph::new(1);
        let x = graph.input("x", 1, WIDTH as u32).unwrap();
        let init = Init::GlorotUniform { fan_in: WIDTH, fan_out: WIDTH };
        let weight = graph.parameter("w", vec![WIDTH, WIDTH], init).unwrap();
        let y = graph.dense("y", x, &weight, None, Activation::Tanh).unwrap();
        graph.update(Update::default().minimize(squared_error(y, x)).by(optimizer, 1e-3)).unwrap();
        graph.advance(1).unwrap();
        let plan = graph.finish(true);
        let find = |plan: &Plan| {
            let setup = |replay: &mut Replay| {
                replay.write_floats("x", &noise(1, WIDTH))?;
                replay.write_initial(1)
            };
            let close = Tolerance::new(1e-5, 1e-5);
            pollster::block_on(first_difference(plan, &device(), &Device::Cpu, close, setup)).unwrap()
        };
        assert_eq!(find(&plan), None, "{optimizer:?}");
        let descent = plan.dispatches.iter().position(|dispatch| dispatch.phase == Phase::Update).unwrap();
        let named = |plan: Plan, what: &str| {
            assert_eq!(find(&plan).map(|found| found.dispatch), Some(descent), "{optimizer:?}: {what}");
        };
        for array in 0..=optimizer.moments().len() {
            let spoil = move |writes: &mut [&mut [u32]]| {
                floats_mut(writes[array]).iter_mut().for_each(|value| *value *= 1.01);
            };
            named(faults::spoilt(&plan, descent, spoil), &format!("array {array}"));
        }
        let before = plan.layout("parameters").unwrap().initial(1);
        let spoil = move |writes: &mut [&mut [u32]]| {
            let parameters = floats_mut(writes[0]).iter_mut().zip(&before);
            parameters.for_each(|(after, before)| *after += 0.01 * (*after - before));
        };
        named(faults::spoilt(&plan, descent, spoil), "moves");
    }
}

// On the CPU, as if it were a device: what a dispatch computes there one by one and in the whole step differs.
#[test]
fn a_step_that_is_another_when_it_is_run_at_once_is_found() {
    let config = config(Registry::built_in().variant("mlp").unwrap());
    let whole = plan(&config, true);
    let setup = |replay: &mut Replay| start(&config, replay);
    let find = |plan: &Plan| {
        let found = first_difference(plan, &Device::Cpu, &Device::Cpu, Tolerance::new(1e-5, 1e-5), setup);
        pollster::block_on(found).unwrap()
    };
    // How often each runs by itself: to see what rounding may do, on the device, on the reference. Then in the step.
    let runs: Arc<Vec<AtomicU32>> = Arc::new(whole.dispatches.iter().map(|_| AtomicU32::new(0)).collect());
    let counted = (0..whole.dispatches.len()).fold(whole.clone(), |plan, at| {
        let runs = Arc::clone(&runs);
        faults::spoilt(&plan, at, move |_| {
            runs[at].fetch_add(1, Ordering::Relaxed);
        })
    });
    assert_eq!(find(&counted), None);
    for (at, dispatch) in whole.dispatches.iter().enumerate() {
        let last = runs[at].load(Ordering::Relaxed) - 1;
        let runs = AtomicU32::new(0);
        let in_the_step = move |writes: &mut [&mut [u32]]| {
            if runs.fetch_add(1, Ordering::Relaxed) == last {
                writes[0][0] ^= 1;
            }
        };
        let found = find(&faults::spoilt(&whole, at, in_the_step));
        let found = found.unwrap_or_else(|| panic!("{} is missed", dispatch.label));
        assert!(found.dispatch <= at && found.mismatch.contains("run at once"), "{at}: {found}");
    }
}
