//! What the benchmarks share: an open device, criterion's settings, and a table beside the ceilings.
#![allow(dead_code, unreachable_pub, missing_docs)]
#![allow(clippy::print_stdout, clippy::panic, reason = "a benchmark speaks to a terminal")]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode};
use narrows::bench::{self, Row};
use narrows::gpu::{Gpu, GpuOptions, Kernels, Launch, time};
use narrows::kernels::ceiling::Ceilings;
use narrows::kernels::{Kernel, prepare_alone};
use pollster::block_on;

/// The device that wgpu's environment variables select, with the variant instead of the rule's choice.
pub fn open(kernels: Kernels) -> Gpu {
    let options = GpuOptions { kernels, ..Default::default() };
    block_on(Gpu::open(&options)).unwrap_or_else(|error| panic!("{error}"))
}

// Samples of each benchmark.
const SAMPLES: usize = 10;

/// Short runs, many kernels. Warming up includes the pipeline's compilation, so that it is never timed.
pub fn criterion() -> Criterion {
    Criterion::default()
        .sample_size(SAMPLES)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots()
        .configure_from_args()
}

/// Measures with `elapsed`, which runs so many rounds, and returns the median seconds of a round: None
/// where the command line filters the benchmark out.
pub fn measure(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    mut elapsed: impl FnMut(u64) -> Duration,
) -> Option<f64> {
    let mut samples = Vec::new();
    let mut group = criterion.benchmark_group(group);
    group.sampling_mode(SamplingMode::Flat);
    group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
        bencher.iter_custom(|rounds| {
            let took = elapsed(rounds);
            samples.push(took.as_secs_f64() / rounds as f64);
            took
        });
    });
    group.finish();
    // What came before the samples was warming up, in rounds too few to hide what a submit costs.
    samples.drain(..samples.len().saturating_sub(SAMPLES));
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied()
}

/// The median seconds of `launches`, one after the other, many to a submit, by the device's timestamps where it has them.
pub fn measure_launches(
    criterion: &mut Criterion,
    gpu: &Gpu,
    group: &str,
    name: &str,
    launches: &[Launch],
) -> Option<f64> {
    measure(criterion, group, name, |rounds| {
        let lap = block_on(time(gpu, launches, rounds as usize)).unwrap_or_else(|error| panic!("{error}"));
        Duration::from_secs_f64(lap.seconds())
    })
}

/// A launch of `kernel` on operands that begin with `contents`.
pub fn launch(gpu: &Gpu, kernel: &dyn Kernel, contents: &[Vec<u32>]) -> Launch {
    block_on(prepare_alone(gpu, kernel, contents)).unwrap_or_else(|error| panic!("{error}"))
}

/// Rows beside the device's ceilings.
pub struct Table {
    gpu: String,
    ceilings: Ceilings,
    rows: bench::Table,
}

impl Table {
    /// Measures the ceilings of `gpu`.
    pub fn new(gpu: &Gpu) -> Self {
        let ceilings = block_on(Ceilings::measure(gpu)).unwrap_or_else(|error| panic!("{error}"));
        Self { gpu: gpu.adapter.label(), ceilings, rows: bench::Table::default() }
    }

    /// One row: `seconds` for `flops` operations on `bytes` of memory.
    pub fn row(&mut self, name: &str, shape: &str, seconds: f64, flops: u64, bytes: u64) {
        self.rows.row(Row::beside(&self.ceilings, name, shape, seconds, [flops, bytes]));
    }

    /// One row of a kernel.
    pub fn kernel(&mut self, name: &str, kernel: &dyn Kernel, seconds: f64) {
        self.row(name, &kernel.shape(), seconds, kernel.flops(), kernel.bytes());
    }

    /// A line of its own.
    pub fn line(&mut self, line: String) {
        self.rows.line(line);
    }

    /// Prints what there is.
    pub fn print(&self) {
        let Ceilings { flops, bytes } = self.ceilings;
        let ceilings = format!("{:.1} GFLOP/s, copy {:.1} GB/s", flops * 1e-9, bytes * 1e-9);
        println!("\n{}\nceilings: {ceilings}\n\n{}", self.gpu, self.rows);
    }
}
