//! Random set-ups: each dispatch of a step of each of them is the reference's, and a fault in one is found.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::set_ups::{Draw, SetUp};
use common::{device, faults};
use narrows::graph::{Device, Difference, Plan, Replay, first_difference};
use narrows::model::Registry;
use narrows::reference::compare::Tolerance;

// Nothing adds up over a step: with 2e-6 and 1e-6, 2 of 630 set-ups were reported to differ, on lavapipe.
const CLOSE: Tolerance = Tolerance::new(1e-5, 1e-5);

// Of a few hundred seeds the one whose set-ups between them run the most entry points.
const SEED: u64 = 151;

// Shaders that no training step runs.
const ELSEWHERE: [(&str, &str); 2] = [
    ("ceiling", "the benchmark's"),
    ("record", "of evaluations, and of updates that do not run in each step"),
];

// Ten of each variant.
fn set_ups() -> impl Iterator<Item = SetUp> {
    let mut draw = Draw(SEED);
    let names: Vec<&str> = Registry::built_in().variants().iter().map(|variant| variant.name()).collect();
    let count = 10 * names.len();
    names.into_iter().cycle().take(count).map(move |name| SetUp::of(name, &mut draw))
}

fn find(set_up: &SetUp, plan: &Plan) -> Option<Difference> {
    let setup = |replay: &mut Replay| set_up.start(replay);
    pollster::block_on(first_difference(plan, &device(), &Device::Cpu, CLOSE, setup)).unwrap()
}

// A shader's name up to its variant.
fn stem(name: &str) -> &str {
    name.split_once('_').map_or(name, |(stem, _)| stem)
}

#[test]
fn every_dispatch_of_random_set_ups_is_the_references() {
    for (number, set_up) in set_ups().enumerate() {
        if let Some(found) = find(&set_up, &set_up.plan) {
            let shape = set_up.plan.dispatches[found.dispatch].kernel.shape();
            panic!("set-up {number}: {found}, {shape}\n{}", set_up.config.to_toml().unwrap());
        }
    }
}

#[test]
fn a_small_fault_in_every_kind_of_kernel_is_found_where_it_is() {
    // Where sums cancel, rounding may change more than the fault does: another dispatch of the kind shows it.
    let (mut found_in, mut missed, mut stems) = (BTreeSet::new(), BTreeMap::new(), BTreeSet::new());
    let variants = device().variants().unwrap();
    for set_up in set_ups() {
        for (at, dispatch) in set_up.plan.dispatches.iter().enumerate() {
            let call = dispatch.kernel.call(&variants);
            stems.insert(stem(call.shader.name));
            for (operand, plan) in faults::faults(&set_up.plan, at).iter().enumerate() {
                let kind = (call.shader.name, dispatch.kernel.name().to_string(), operand);
                if found_in.contains(&kind) {
                    continue;
                }
                let what = format!("{} {}, array {operand}", dispatch.kernel.name(), dispatch.kernel.shape());
                let Some(found) = find(&set_up, plan) else {
                    missed.insert(kind, what);
                    continue;
                };
                assert_eq!((found.dispatch, &found.label), (at, &dispatch.label), "{what}: {found}");
                missed.remove(&kind);
                found_in.insert(kind);
            }
        }
    }
    assert!(missed.is_empty(), "missed: {missed:?}");
    for shader in narrows_shaders::ALL {
        let elsewhere = ELSEWHERE.iter().any(|(name, _)| *name == shader.name);
        let run = stems.contains(stem(shader.name));
        assert_ne!(run, elsewhere, "{}: run by the set-ups, or else listed with the reason", shader.name);
    }
}
