//! Plans and their replay: on every device the same numbers, however memory and submits are shared out.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;

use common::gradients::check_gradients;
use common::step::{by_hand, config, plan, start, start_by_hand};
use common::{device, devices, title};
use narrows::Result;
use narrows::gpu::{MatMulVariant, Variants};
use narrows::graph::{Device, Plan, Replay, first_difference};
use narrows::kernels::{State, floats};
use narrows::model::{LikelihoodKind, Registry};
use narrows::reference::compare::{Tolerance, compare};
use narrows::train::{Config, ScheduleKind};

// What rounding and a driver's exp may make of a few steps.
const CLOSE: Tolerance = Tolerance::new(2e-5, 2e-5);

fn open(device: &Device, plan: Plan, setup: impl Fn(&mut Replay) -> Result<()>) -> Replay {
    let mut replay = pollster::block_on(Replay::new(device, plan)).unwrap();
    setup(&mut replay).unwrap();
    replay
}

fn started(device: &Device, config: &Config, keep_all: bool) -> Replay {
    open(device, plan(config, keep_all), |replay| start(config, replay))
}

fn run(replay: &mut Replay, steps: u32) {
    pollster::block_on(replay.run(steps)).unwrap();
}

// The words of every named range.
fn read_all(replay: &Replay) -> BTreeMap<String, Vec<u32>> {
    let read = |name: &String| (name.clone(), pollster::block_on(replay.read(name)).unwrap());
    replay.plan().named.keys().map(read).collect()
}

#[test]
fn several_steps_of_every_variant_are_the_references_on_every_device() {
    for variant in Registry::built_in().variants() {
        let config = config(variant);
        let mut reference = started(&Device::Cpu, &config, false);
        run(&mut reference, 7);
        let expected = read_all(&reference);
        for device in devices() {
            let mut replay = started(&device, &config, false);
            run(&mut replay, 7);
            for (name, words) in read_all(&replay) {
                let what = format!("{} on {}: {name}", variant.name(), title(&device));
                if name == "state" {
                    let [got, expected] = [&words, &expected[&name]].map(|words| State::from_words(words));
                    assert_eq!(got, expected, "{what}");
                } else if name == "images" {
                    assert_eq!(words, expected[&name], "{what}");
                } else {
                    let outcome = compare(floats(&words), floats(&expected[&name]), CLOSE);
                    outcome.unwrap_or_else(|mismatch| panic!("{what}: {mismatch}"));
                }
            }
        }
    }
}

#[test]
fn every_intermediate_result_of_a_step_is_the_references() {
    for device in devices() {
        for variant in Registry::built_in().variants() {
            let config = config(variant);
            let setup = |replay: &mut Replay| start(&config, replay);
            let plan = plan(&config, true);
            let found = first_difference(&plan, &device, &Device::Cpu, CLOSE, setup);
            assert_eq!(pollster::block_on(found).unwrap(), None, "{}", variant.name());
        }
        let plan = by_hand();
        let found = first_difference(&plan, &device, &Device::Cpu, CLOSE, start_by_hand);
        assert_eq!(pollster::block_on(found).unwrap(), None, "recorded by hand");
    }
}

// What no variant's own preset has.
fn other_settings() -> Vec<(&'static str, Config)> {
    let of = |name: &str, change: fn(&mut Config)| {
        let mut config = config(Registry::built_in().variant(name).unwrap());
        change(&mut config);
        config
    };
    vec![
        (
            "sparsity by the mean activation",
            of("sparse", |config| {
                config.model.set("sparsity", "kl").unwrap();
                config.model.set("sparsity_weight", 0.2).unwrap();
            }),
        ),
        (
            "continuous Bernoulli",
            of("vae", |config| config.model.likelihood = LikelihoodKind::ContinuousBernoulli),
        ),
        (
            "free bits, a falling learning rate and a warm-up",
            of("vae", |config| {
                config.model.set("free_bits", 0.3).unwrap();
                config.train.schedule = ScheduleKind::Cosine;
                config.train.epochs = 3;
                config.model.set("kl_warmup", "cyclical").unwrap();
                config.model.set("kl_warmup_epochs", 2).unwrap();
                config.model.set("kl_cycles", 2).unwrap();
            }),
        ),
    ]
}

#[test]
fn several_steps_with_other_settings_are_the_references() {
    let gpu = device();
    for (what, config) in other_settings() {
        let [mut got, mut expected] = [&gpu, &Device::Cpu].map(|device| started(device, &config, false));
        run(&mut got, 7);
        run(&mut expected, 7);
        for name in ["ring", "parameters"] {
            let read = |replay: &Replay| pollster::block_on(replay.read_floats(name)).unwrap();
            let outcome = compare(&read(&got), &read(&expected), CLOSE);
            outcome.unwrap_or_else(|mismatch| panic!("{what}: {name}: {mismatch}"));
        }
        let plan = plan(&config, true);
        let setup = |replay: &mut Replay| start(&config, replay);
        let found = first_difference(&plan, &gpu, &Device::Cpu, CLOSE, setup);
        assert_eq!(pollster::block_on(found).unwrap(), None, "{what}");
    }
}

#[test]
fn sharing_memory_saves_buffers_and_changes_no_bit() {
    for device in [device(), Device::Cpu] {
        for variant in Registry::built_in().variants() {
            let config = config(variant);
            let mut shared = started(&device, &config, false);
            let mut kept = started(&device, &config, true);
            assert!(shared.plan().buffers.len() < kept.plan().buffers.len(), "{}", variant.name());
            assert!(shared.plan().memory() < kept.plan().memory(), "{}", variant.name());
            run(&mut shared, 3);
            run(&mut kept, 3);
            assert_eq!(read_all(&shared), read_all(&kept), "{} on {}", variant.name(), title(&device));
        }
    }
}

// Nothing is uploaded in between, or the steps of one submit would all see the same.
#[test]
fn many_steps_in_one_submit_are_as_many_submits_of_one() {
    for device in [device(), Device::Cpu] {
        for variant in Registry::built_in().variants() {
            let config = config(variant);
            let mut together = started(&device, &config, false);
            let mut apart = started(&device, &config, false);
            let reported = pollster::block_on(async {
                let pending = together.submit(7, "ring")?;
                let together = together.wait(pending).await?;
                for _ in 0..6 {
                    apart.run(1).await?;
                }
                let pending = apart.submit(1, "ring")?;
                Ok::<_, narrows::Error>((together, apart.wait(pending).await?))
            });
            let (left, right) = reported.unwrap();
            assert_eq!(left, right, "{} on {}", variant.name(), title(&device));
            assert_eq!(read_all(&together), read_all(&apart), "{} on {}", variant.name(), title(&device));
        }
    }
}

#[test]
fn a_run_repeats_bit_for_bit_and_another_seed_is_another_run() {
    for variant in Registry::built_in().variants() {
        let mut config = config(variant);
        let parameters = |config: &Config| {
            let mut replay = started(&device(), config, false);
            run(&mut replay, 9);
            read_all(&replay).remove("parameters")
        };
        let first = parameters(&config);
        assert_eq!(first, parameters(&config), "{}", variant.name());
        config.train.seed += 1;
        assert_ne!(first, parameters(&config), "{}", variant.name());
    }
}

#[test]
fn a_measured_plan_has_a_time_and_a_line_for_each_dispatch() {
    let config = config(Registry::built_in().variant("linear").unwrap());
    for device in [device(), Device::Cpu] {
        let mut replay = started(&device, &config, false);
        let times = pollster::block_on(replay.measure()).unwrap();
        let plan = replay.plan();
        assert_eq!(times.dispatches.len(), plan.dispatches.len());
        assert!(times.dispatches.iter().chain([&times.step]).all(|seconds| *seconds > 0.0), "{times:?}");
        let table = times.table(plan, &Variants::one(MatMulVariant::Tile64x4));
        for (line, dispatch) in table.lines().skip(1).zip(&plan.dispatches) {
            assert!(line.contains(&dispatch.label), "{line}");
        }
        assert_eq!(table.lines().count(), plan.dispatches.len() + 2, "{table}");
    }
}

#[test]
fn submits_may_overlap_and_report_ranges_of_any_length() {
    let config = config(Registry::built_in().variant("linear").unwrap());
    for device in [device(), Device::Cpu] {
        let mut replay = started(&device, &config, false);
        pollster::block_on(async {
            for (name, other) in [("state", "ring"), ("parameters", "state"), ("ring", "parameters")] {
                let first = replay.submit(1, name)?;
                let second = replay.submit(2, other)?;
                assert_eq!(replay.wait(first).await?.len(), replay.plan().slice(name)?.words);
                let words = replay.wait(second).await?;
                assert_eq!(words, replay.read(other).await?, "{other}");
            }
            assert_eq!(replay.read_state().await?.step, 9);
            Ok::<_, narrows::Error>(())
        })
        .unwrap();
    }
}

#[test]
fn a_plans_gradients_are_the_central_differences_of_its_loss() {
    for variant in Registry::built_in().variants() {
        let config = config(variant);
        let plan = plan(&config, true);
        let setup = |replay: &mut Replay| start(&config, replay);
        check_gradients(variant.name(), &plan, &setup);
    }
    // The third has a gradient that is not that of the loss it reports.
    for (what, config) in &other_settings()[..2] {
        let plan = plan(config, true);
        let setup = |replay: &mut Replay| start(config, replay);
        check_gradients(what, &plan, &setup);
    }
}

#[test]
fn a_weight_or_tensor_that_is_used_twice_gets_the_sum_of_its_gradients() {
    let plan = by_hand();
    check_gradients("by hand", &plan, &start_by_hand);
}
