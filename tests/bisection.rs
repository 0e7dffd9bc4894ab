//! Finding the wrong dispatch: one is planted at every place of a step, and must be named.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

mod common;

use std::sync::Arc;

use common::device;
use common::step::{config, plan, start};
use narrows::gpu::Variants;
use narrows::graph::{Device, Difference, Plan, Replay, first_difference};
use narrows::kernels::{Call, Kernel};
use narrows::model::Registry;
use narrows::reference::compare::Tolerance;
use narrows::train::Config;

// A kernel whose reference spoils one word of what it writes; a device computes it right.
#[derive(Debug)]
struct Spoilt {
    kernel: Arc<dyn Kernel>,
    operand: usize,
    word: usize,
    spoil: fn(u32) -> u32,
}

impl Kernel for Spoilt {
    fn call(&self, variants: &Variants) -> Call {
        self.kernel.call(variants)
    }

    fn reference(&self, reads: &[&[u32]], writes: &mut [&mut [u32]]) {
        self.kernel.reference(reads, writes);
        let word = &mut writes[self.operand][self.word];
        *word = (self.spoil)(*word);
    }
}

fn spoilt(plan: Plan, dispatch: usize, word: usize, spoil: fn(u32) -> u32) -> Plan {
    spoilt_in(plan, [dispatch, 0, word], spoil)
}

fn spoilt_in(mut plan: Plan, [dispatch, operand, word]: [usize; 3], spoil: fn(u32) -> u32) -> Plan {
    let kernel = Arc::clone(&plan.dispatches[dispatch].kernel);
    plan.dispatches[dispatch].kernel = Arc::new(Spoilt { kernel, operand, word, spoil });
    plan
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
            let found = find(&spoilt(plan.clone(), at, 0, spoil), &config);
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
        let found = find(&spoilt(plan.clone(), last, word, |w| w.wrapping_add(1)), &config);
        assert_eq!(
            found.map(|found| (found.dispatch, found.buffer)),
            Some((last, "state".to_owned())),
            "{name}"
        );
    }
    let float = |w| (f32::from_bits(w) + 0.01).to_bits();
    let found = find(&spoilt_in(plan, [last, 1, 1], float), &config);
    assert_eq!(found.map(|found| found.buffer), Some("rates".to_owned()));
}
