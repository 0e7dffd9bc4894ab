//! `narrows bench`: measures a device, and compares it with an earlier time.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bench::{
    Comparison, Extent, Fastest, Group, Progress, Record, Suite, Table, date, duration, fastest, measure,
    page, products_of,
};
use crate::gpu::{Gpu, Kernels};
use crate::graph::Device;
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::json;

use super::Context;
use super::interrupt::Interrupt;
use super::kernels;
use super::output::{Begun, Place, hidden_bar, line, note};

const SAMPLES: u32 = 9;
// As few as a comparison takes.
const QUICK_SAMPLES: u32 = 5;

/// Measure a device
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows bench\n  narrows bench --quick --html bench.html\n  \
    narrows bench --only matmul --out before.json\n  narrows bench --only matmul --compare before.json\n  narrows bench --choose --only \"step vae\"\n\n\
    Groups: ceiling, dispatch, matmul (rows x depth x columns), conv (kernel, stride, channels and extent of 32\n\
    images) and step, a training step of each preset. Each sample has one of the arithmetic ceiling beside it, so\n\
    that a slower moment of the machine slows both. A comparison calls a benchmark faster or slower only where its\n\
    times and their ratios to the ceiling both say so with 99 % of certainty, by more than 5 % and the spread.\n\n\
    --choose tries each kernel of --kernels on the shapes of the products, rounded up to powers of two. A run keeps the\n\
    kernels that it began with; NARROWS_CACHE names another folder for the choices.\n\n\
    Ctrl-C stops after the sample and keeps what is there. WGPU_BACKEND, WGPU_ADAPTER_NAME and WGPU_POWER_PREF\n\
    choose the device if --device is not given.")]
pub(super) struct Bench {
    /// Few shapes, one preset of each variant and 5 samples
    #[arg(long)]
    quick: bool,
    /// Only benchmarks with this in their name or group, as matmul or step vae
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Samples of each benchmark [default: 9, or 5 with --quick]
    #[arg(long, value_name = "N", value_parser = super::whole(1..=1_000))]
    samples: Option<u32>,
    /// Print one JSON object, with every sample
    #[arg(long)]
    json: bool,
    /// Write the same JSON to a file, for --compare
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write one page with charts and tables
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Compare with an earlier --out FILE: faster, slower, or no difference beyond the noise
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Measure instead which kernel is fastest for each product that these benchmarks make, and keep that in the cache
    /// folder for later runs on this device
    #[arg(long, conflicts_with_all = ["json", "out", "html", "compare"])]
    choose: bool,
}

impl Bench {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        if context.device.is_cpu() {
            return Err(not_measured());
        }
        let out = self.out.as_deref().map(|path| Place::of_file("--out", path, "json")).transpose()?;
        let html = self.html.as_deref().map(|path| Place::of_file("--html", path, "html")).transpose()?;
        let earlier = self.compare.as_deref().map(Record::load).transpose()?;
        let extent = if self.quick { Extent::Quick } else { Extent::Full };
        let suite = Suite::standard(&context.registry, extent)?;
        let suite = self.only.iter().try_fold(suite, |suite, text| suite.only(text))?;
        if self.choose {
            return self.choose(context, &suite).await;
        }
        let Device::Gpu(gpu) = context.device.open().await? else { return Err(not_measured()) };
        // A place that takes no file is found out before minutes are spent.
        let [out, html] = [out, html].map(|place| place.map(|place| place.begin()).transpose());
        let (out, html) = (out?, html?);
        let record = self.measured(&gpu, &suite).await?;
        let comparison = earlier.map(|earlier| Comparison::new(&record, &earlier));
        self.tell(&record, comparison.as_ref())?;
        if let Some(file) = out {
            let json = format!("{:#}\n", record.to_json()?);
            self.keep(file, &json, &format!("{} benchmarks", record.results.len()))?;
        }
        if let Some(file) = html {
            self.keep(file, &page(&record, comparison.as_ref()), "charts and tables")?;
        }
        if record.complete { Ok(()) } else { Err(Error::Stopped) }
    }

    async fn choose(&self, context: &Context, suite: &Suite) -> Result<()> {
        let path = kernels::path_for_choices()?;
        let rule = open(context, Kernels::Rule).await?;
        let mut devices = Vec::new();
        for variant in rule.matmul_variants() {
            devices.push((variant, open(context, Kernels::One(variant)).await?));
        }
        let products = products_of(suite).await?;
        if products.is_empty() {
            let expected = "benchmarks that make products: matmul, conv or step";
            return Err(Error::setting("--choose", expected, "none"));
        }
        let (samples, interrupt) = (self.samples(), Interrupt::listen()?);
        let bar = self.bar()?;
        bar.set_length(products.len() as u64);
        let mut measured = kernels::measured();
        let mut stopped = false;
        for (class, (product, kernel)) in &products {
            if interrupt.came() {
                stopped = true;
                break;
            }
            bar.set_message(class.to_string());
            let by_rule = rule.variants.matmul(product);
            let found = fastest(&devices, kernel.as_ref(), product, by_rule, samples).await?;
            bar.suspend(|| line(&described(&found)))?;
            measured.note(&rule.adapter.info, *class, found.variant());
            bar.inc(1);
        }
        bar.finish_and_clear();
        kernels::keep(&path, &measured)?;
        line(&format!("{}: the fastest kernels of {} kinds of products", path.display(), bar.position()))?;
        if stopped { Err(Error::Stopped) } else { Ok(()) }
    }

    fn samples(&self) -> usize {
        self.samples.unwrap_or(if self.quick { QUICK_SAMPLES } else { SAMPLES }) as usize
    }

    fn bar(&self) -> Result<ProgressBar> {
        let bar = hidden_bar("{bar:12} {wide_msg}")?;
        if std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Ok(bar)
    }

    // With --json, nothing else is on standard output.
    fn keep(&self, mut file: Begun<'_>, text: &str, content: &str) -> Result<()> {
        file.add(text.as_bytes())?;
        if !self.json {
            return file.finish(content);
        }
        note(&format!("{}: {content}", file.close()?.display()));
        Ok(())
    }

    async fn measured(&self, gpu: &Arc<Gpu>, suite: &Suite) -> Result<Record> {
        let interrupt = Interrupt::listen()?;
        let bar = self.bar()?;
        let mut group = None;
        let mut watch = |progress: Progress<'_>| {
            tell_progress(&bar, &progress, &mut group);
            !interrupt.came()
        };
        let record = measure(gpu, suite, self.samples(), &mut watch).await;
        bar.finish_and_clear();
        record
    }

    fn tell(&self, record: &Record, comparison: Option<&Comparison>) -> Result<()> {
        record.remarks.iter().for_each(|remark| note(&format!("note: {remark}")));
        if let Some(comparison) = comparison {
            comparison.warnings.iter().for_each(|warning| note(&format!("warning: {warning}")));
        }
        if !record.complete {
            note("stopped: the results are those of the samples taken by then");
        }
        if self.json {
            let mut object = record.to_json()?;
            if let Some(comparison) = comparison {
                object["comparison"] = json!(comparison);
            }
            return line(&format!("{object:#}"));
        }
        line(&format!("{}, matrix products: {}", record.device.label, record.device.kernels))?;
        line(&format!("timed by {}", record.clocks()))?;
        if let Some(flops) = record.ceiling() {
            line(&format!("ceiling: {:.1} GFLOP/s, the median beside all samples\n", flops * 1e-9))?;
        }
        line(&Table::of(record).to_string())?;
        match comparison {
            None => Ok(()),
            Some(comparison) => {
                line(&format!("\ncompared with {}\n{comparison}", date(comparison.earlier_unix_seconds)))
            }
        }
    }
}

async fn open(context: &Context, kernels: Kernels) -> Result<Arc<Gpu>> {
    match Device::open(&context.device.options(kernels)?).await? {
        Device::Gpu(gpu) => Ok(gpu),
        Device::Cpu => Err(not_measured()),
    }
}

// The fastest first, each with its time.
fn described(found: &Fastest) -> String {
    let chosen = found.variant();
    let mut times: Vec<_> = found.seconds.iter().collect();
    times.sort_by(|a, b| a.1.total_cmp(b.1));
    let times: Vec<String> =
        times.into_iter().map(|(variant, seconds)| format!("{variant} {}", duration(*seconds))).collect();
    let by_rule = if chosen == found.by_rule { ", as by rule" } else { "" };
    format!("{:24} {chosen}{by_rule} ({}; {})", found.class.to_string(), found.shape, times.join(", "))
}

fn not_measured() -> Error {
    let expected =
        "a device to measure: the CPU reference is there to check results, and its speed says nothing";
    Error::setting("--device", expected, "cpu")
}

fn tell_progress(bar: &ProgressBar, progress: &Progress<'_>, group: &mut Option<Group>) {
    if group.replace(progress.group) != Some(progress.group) {
        bar.suspend(|| note(&format!("measuring: {}", progress.group)));
    }
    bar.set_length(progress.of as u64);
    bar.set_position(progress.done as u64);
    bar.set_message(progress.name.to_owned());
}
