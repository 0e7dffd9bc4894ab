//! Whole training steps of the presets on the embedded images, many steps per submit, what a contraction adds to
//! them, and where the time of the VAE's step goes. `cargo bench --bench step`
#![allow(missing_docs)]
#![allow(clippy::panic, reason = "a benchmark speaks to a terminal")]

mod common;

use std::sync::Arc;
use std::time::Instant;

use common::{Table, criterion, launch, measure, measure_launches, open};
use criterion::Criterion;
use narrows::bench::{self, duration, fractions};
use narrows::data::{self, Dataset, Source};
use narrows::gpu::{Gpu, Kernels};
use narrows::graph::{Device, Replay};
use narrows::kernels::state::State;
use narrows::model::Registry;
use narrows::train::Config;
use pollster::block_on;

// The training step, with images, first values and state in place.
fn replay(gpu: &Arc<Gpu>, config: &Config, images: &Dataset) -> narrows::Result<Replay> {
    block_on(bench::step(&Device::Gpu(Arc::clone(gpu)), config, images))
}

// The median seconds of a training step of `config`, with its row in the table.
fn step(
    criterion: &mut Criterion,
    table: &mut Table,
    gpu: &Arc<Gpu>,
    images: &Dataset,
    name: &str,
    config: &Config,
) -> narrows::Result<Option<f64>> {
    let mut replay = replay(gpu, config, images)?;
    let name = format!("{name} step at batch {}", config.train.batch);
    let seconds = measure(criterion, "step", &name, |rounds| {
        let began = Instant::now();
        block_on(replay.run(rounds as u32)).unwrap_or_else(|error| panic!("{error}"));
        began.elapsed()
    });
    if let Some(seconds) = seconds {
        let plan = replay.plan();
        let images_per_second = f64::from(plan.batch) / seconds;
        let bytes = plan.dispatches.iter().map(|dispatch| dispatch.kernel.bytes()).sum();
        table.row(&name, &format!("{images_per_second:.0} images/s"), seconds, plan.flops(), bytes);
    }
    Ok(seconds)
}

// What the exact and the estimated contraction make of a step, as multiples of the plain one.
fn contractions(
    criterion: &mut Criterion,
    table: &mut Table,
    gpu: &Arc<Gpu>,
    images: &Dataset,
) -> narrows::Result<()> {
    let registry = Registry::built_in();
    for preset in registry.variant("contractive")?.presets() {
        let contractive = Config::preset(preset.name)?;
        let mut plain = Config::preset("mlp")?;
        plain.model.common = contractive.model.common.clone();
        plain.train = contractive.train.clone();
        let name = |how: &str| format!("{}, {how}", preset.name);
        let plain = step(criterion, table, gpu, images, &name("plain"), &plain)?;
        for how in ["exact", "estimate"] {
            let mut config = contractive.clone();
            config.model.set("contraction", how)?;
            let seconds = step(criterion, table, gpu, images, &name(how), &config)?;
            if let (Some(plain), Some(seconds)) = (plain, seconds) {
                table.line(format!("{:36} {:.2} times the plain step", "", seconds / plain));
            }
        }
    }
    Ok(())
}

// Each dispatch of the VAE's step by itself, on operands of its own.
fn dispatches(
    criterion: &mut Criterion,
    table: &mut Table,
    gpu: &Arc<Gpu>,
    images: &Dataset,
) -> narrows::Result<()> {
    let replay = replay(gpu, &Config::preset("vae")?, images)?;
    let plan = replay.plan();
    let (mut total, mut rows) = (0.0, Vec::new());
    for (number, dispatch) in plan.dispatches.iter().enumerate() {
        let kernel = dispatch.kernel.as_ref();
        let operands = kernel.operands();
        let contents = operands.iter().map(|operand| match operand.name {
            "state" => State::new(1).words().to_vec(),
            "chosen" => (0..plan.batch).collect(),
            _ => fractions(operand.words),
        });
        let launch = launch(gpu, kernel, &contents.collect::<Vec<_>>());
        let id = format!("{number:02} {}", dispatch.label);
        if let Some(seconds) = measure_launches(criterion, gpu, "vae", &id, &[launch]) {
            total += seconds;
            rows.push((id, dispatch, seconds));
        }
    }
    if !rows.is_empty() {
        table.line(format!("\nthe VAE's dispatches one by one, {} in sum", duration(total)));
    }
    for (id, dispatch, seconds) in rows {
        table.kernel(
            &format!("{:4.1}% {id:.30}", 100.0 * seconds / total),
            dispatch.kernel.as_ref(),
            seconds,
        );
    }
    Ok(())
}

fn main() -> narrows::Result<()> {
    let images = data::load(Source::Sample, None, None)?.train;
    let gpu = Arc::new(open(Kernels::Rule));
    let mut criterion = criterion();
    let mut table = Table::new(&gpu);
    for variant in Registry::built_in().variants() {
        let preset = Config::preset(variant.name())?;
        step(&mut criterion, &mut table, &gpu, &images, variant.name(), &preset)?;
    }
    let mut cnn = Config::preset("cnn")?;
    cnn.train.batch = 128;
    step(&mut criterion, &mut table, &gpu, &images, "cnn", &cnn)?;
    contractions(&mut criterion, &mut table, &gpu, &images)?;
    dispatches(&mut criterion, &mut table, &gpu, &images)?;
    criterion.final_summary();
    table.print();
    Ok(())
}
