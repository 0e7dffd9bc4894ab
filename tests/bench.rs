//! Benchmarks: which there are, and what is kept of a measurement. No time is asserted.
#![cfg(feature = "plot")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod tiny;

use std::collections::BTreeSet;
use std::sync::Arc;

use narrows::bench::{
    Benchmark, Extent, Fastest, Group, Progress, Record, Suite, Work, date, duration, fastest, measure,
    products_of,
};
use narrows::data::Source;
use narrows::gpu::{Clock, Gpu, MatMulVariant, Product, ProductKind, fitting_rounds, seconds_of_stamps};
use narrows::graph::Device;
use narrows::model::Registry;
use narrows::train::Config;
use pollster::block_on;
use tiny::device;

fn gpu() -> &'static Arc<Gpu> {
    match device() {
        Device::Gpu(gpu) => gpu,
        Device::Cpu => panic!("the tests' device is a GPU"),
    }
}

#[test]
fn dates_and_times_are_written_as_people_do() {
    for (seconds, written) in [
        (0, "1970-01-01 00:00 UTC"),
        (951_782_400, "2000-02-29 00:00 UTC"),
        (1_767_225_599, "2025-12-31 23:59 UTC"),
        (4_107_542_399, "2100-02-28 23:59 UTC"),
        (4_107_542_400, "2100-03-01 00:00 UTC"),
    ] {
        assert_eq!(date(seconds), written);
    }
    for (seconds, written) in [(2.0, "2.00 s"), (0.0123, "12.30 ms"), (4.56e-5, "45.6 us")] {
        assert_eq!(duration(seconds), written);
    }
}

#[test]
fn timestamps_that_cannot_be_right_count_for_nothing() {
    let words = |ticks: &[u64]| -> Vec<u32> {
        ticks.iter().flat_map(|tick| [*tick as u32, (*tick >> 32) as u32]).collect()
    };
    let beyond = 1 << 33;
    let two = words(&[10, 110, beyond, beyond + 300]);
    let seconds = seconds_of_stamps(&two, 2.0, 1.0).unwrap();
    assert!((seconds - 800e-9).abs() < 1e-15, "{seconds}");
    assert_eq!(seconds_of_stamps(&words(&[110, 10]), 1.0, 1.0), None);
    assert_eq!(seconds_of_stamps(&words(&[0, 10]), 1.0, 1.0), None);
    assert_eq!(seconds_of_stamps(&words(&[10, 10]), 1.0, 1.0), None);
    assert_eq!(seconds_of_stamps(&words(&[10, 110]), 0.0, 1.0), None);
    // Longer than it took on the host's clock.
    assert_eq!(seconds_of_stamps(&words(&[10, 2_000_000_010]), 1.0, 1.0), None);
    assert_eq!(seconds_of_stamps(&[], 1.0, 1.0), None);
}

#[test]
fn rounds_grow_until_they_take_long_enough() {
    let rounds = |each: f64| {
        let mut first = true;
        block_on(fitting_rounds(0.01, 64, async |rounds| {
            // The first compiles.
            Ok(if std::mem::take(&mut first) { 5.0 } else { each * rounds as f64 })
        }))
    };
    assert_eq!(rounds(1.0).unwrap(), 1);
    assert_eq!(rounds(0.003).unwrap(), 4);
    assert_eq!(rounds(1e-9).unwrap(), 64);
}

#[test]
fn the_standard_benchmarks_have_names_of_their_own_and_every_preset() {
    let registry = Registry::built_in();
    let full = Suite::standard(&registry, Extent::Full).unwrap();
    let names: BTreeSet<&str> = full.benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect();
    assert_eq!(names.len(), full.benchmarks.len());
    for (_, preset) in registry.presets() {
        let step = format!("step {} at batch ", preset.name);
        assert!(names.iter().any(|name| name.starts_with(&step)), "{step}");
    }
    for name in ["multiply-add", "copy 64 MiB", "matmul 512x512x512 nn", "conv 3x3 s1 16>32 at 14x14 forward"]
    {
        assert!(names.contains(name), "{names:?}");
    }
    let quick = Suite::standard(&registry, Extent::Quick).unwrap().benchmarks;
    assert!(quick.len() < full.benchmarks.len() / 2);
    assert!(quick.iter().all(|benchmark| names.contains(benchmark.name.as_str())));
    for group in Group::ALL {
        assert!(quick.iter().any(|benchmark| benchmark.group == group), "{group}");
    }
    let only = full.only("MatMul 512").unwrap();
    assert_eq!(only.benchmarks.len(), 3);
    for text in ["nothing of the kind", "", " "] {
        let error = Suite::standard(&registry, Extent::Quick).unwrap().only(text).unwrap_err().to_string();
        assert!(error.contains("or a group: ceiling, dispatch, matmul, conv, step"), "{error}");
    }
}

#[test]
fn a_measurement_has_the_samples_that_were_asked_for() {
    let suite = Suite::standard(&Registry::built_in(), Extent::Quick).unwrap().only("dispatch").unwrap();
    let mut steps = Vec::new();
    let mut watch = |progress: Progress<'_>| {
        steps.push((progress.done, progress.of, progress.group));
        true
    };
    let record = block_on(measure(gpu(), &suite, 3, &mut watch)).unwrap();
    assert_eq!(steps, (0..8).map(|done| (done, 8, Group::Dispatch)).collect::<Vec<_>>());
    assert!(record.complete && record.quick && record.remarks.is_empty());
    assert_eq!(record.results.len(), 2);
    for result in &record.results {
        assert_eq!((result.seconds.len(), result.yardstick_seconds.len()), (3, 3));
    }
    // It is the host that submits.
    assert_eq!(record.result("dispatch in a submit of its own").unwrap().clock, Clock::Wall);
    let read = Record::from_json(record.to_json().unwrap().to_string().as_bytes()).unwrap();
    assert_eq!((read.device, read.results.len()), (record.device, 2));
}

#[test]
fn a_measurement_that_is_stopped_keeps_the_samples_there_are() {
    let suite = Suite::standard(&Registry::built_in(), Extent::Quick).unwrap().only("dispatch").unwrap();
    // Two are made ready, then each gets a sample and the first a second.
    let kept = |most: usize| {
        let mut watch = |progress: Progress<'_>| progress.done < most;
        let record = block_on(measure(gpu(), &suite, 3, &mut watch)).unwrap();
        assert!(!record.complete);
        record.results.iter().map(|result| result.seconds.len()).collect::<Vec<_>>()
    };
    assert_eq!(kept(5), [2, 1]);
    assert_eq!(kept(3), [1]);
    assert_eq!(kept(1), [0; 0]);
}

#[test]
fn a_step_of_data_of_its_own_is_measured_and_one_that_does_not_suit_its_data_is_left_out() {
    let of = |name: &str, config: Config| Benchmark {
        name: name.to_owned(),
        group: Group::Step,
        shape: String::new(),
        flops: 0,
        bytes: 0,
        images: Some(config.train.batch),
        work: Work::Step(Box::new(config)),
    };
    let mut points = Config::preset("linear").unwrap();
    points.data.source = Source::Moons;
    (points.model.common.latent, points.train.batch) = (1, 16);
    // Its layers take images, which points are not.
    let mut unsuited = Config::preset("cnn").unwrap();
    unsuited.data.source = Source::Moons;
    // Data of the user's are not there.
    let mut elsewhere = Config::preset("linear").unwrap();
    elsewhere.data.source = Source::Folder;
    let benchmarks =
        vec![of("points", points), of("unsuited", unsuited), of("on the sample instead", elsewhere)];
    let suite = Suite { benchmarks, extent: Extent::Full };
    let record = block_on(measure(gpu(), &suite, 1, &mut |_| true)).unwrap();
    let names: Vec<&str> = record.results.iter().map(|result| result.name.as_str()).collect();
    assert_eq!(names, ["points", "on the sample instead"]);
    assert!(record.remarks[0].starts_with("unsuited was left out: "), "{:?}", record.remarks);
    assert!(record.results.iter().all(|result| result.flops > 0 && result.clock == Clock::Wall));
}

#[test]
fn the_rules_choice_stays_unless_another_is_faster_beyond_noise() {
    let product = Product { kind: ProductKind::Nt, rows: 4, columns: 4, depth: 4, parts: 1 };
    let found = |seconds: &[(MatMulVariant, f64)]| Fastest {
        class: product.class(),
        shape: String::new(),
        by_rule: MatMulVariant::Register,
        seconds: seconds.iter().copied().collect(),
    };
    let (rule, other) = (MatMulVariant::Register, MatMulVariant::Tile32x4);
    assert_eq!(found(&[(rule, 1.0), (other, 0.98)]).variant(), rule);
    assert_eq!(found(&[(rule, 1.0), (other, 0.9)]).variant(), other);
    assert_eq!(found(&[(rule, 1.0)]).variant(), rule);
    assert_eq!(found(&[(other, 1.0)]).variant(), other);
    assert_eq!(found(&[]).variant(), rule);
}

#[test]
fn each_kind_of_product_of_a_suite_is_measured_once_on_its_largest() {
    let suite = Suite::standard(&Registry::built_in(), Extent::Quick).unwrap();
    let steps = block_on(products_of(&suite.only("step linear").unwrap())).unwrap();
    // Forward, the gradients of two weights, and that of the code.
    assert!((3..=5).contains(&steps.len()), "{:?}", steps.keys().collect::<Vec<_>>());
    let gpu = gpu();
    let devices: Vec<_> =
        gpu.matmul_variants().into_iter().map(|variant| (variant, Arc::clone(gpu))).collect();
    let (product, kernel) = steps.values().next().unwrap();
    let found = block_on(fastest(&devices, kernel.as_ref(), product, devices[0].0, 1)).unwrap();
    assert!(found.seconds.contains_key(&devices[0].0) && found.class == product.class());
}
