//! Benchmarks made ready on a device, and one sample of them.

use std::sync::Arc;

use web_time::Instant;

use super::suite::{Benchmark, Work};
use crate::data::{Dataset, Source};
use crate::gpu::{Gpu, Lap, Launch, fitting_rounds, time, time_submits};
use crate::graph::{Device, Replay};
use crate::kernels::{Kernel, prepare_alone};
use crate::model::Model;
use crate::train::{Config, DataConfig};
use crate::{Error, Result};

// Long against what a submit and its answer cost, short enough for many samples.
const LEAST_SECONDS: f64 = 0.015;
const MOST_ROUNDS: usize = 1 << 13;

/// Numbers in (0, 1) that repeat: what a kernel's operands hold where nothing else is asked for.
pub fn fractions(count: usize) -> Vec<u32> {
    (0..count as u32)
        .map(|i| ((i.wrapping_mul(0x9E37_79B9) >> 9) as f32 + 0.5) / 8_388_608.0)
        .map(f32::to_bits)
        .collect()
}

/// A launch of `kernel` on operands of its own, which hold [`fractions`].
///
/// # Errors
/// As [`prepare_alone`].
pub async fn launch(gpu: &Gpu, kernel: &dyn Kernel) -> Result<Launch> {
    let contents: Vec<_> = kernel.operands().iter().map(|operand| fractions(operand.words)).collect();
    prepare_alone(gpu, kernel, &contents).await
}

/// The training step of `config` on `images`, ready to run from the first values on.
///
/// # Errors
/// [`Error::Setting`] and [`Error::Shape`] where the model does not suit the images; as [`Replay::new`].
pub async fn step(device: &Device, config: &Config, images: &Dataset) -> Result<Replay> {
    let config = config.fitted_to_data(images)?;
    let count = u32::try_from(images.len()).unwrap_or(u32::MAX);
    let model = Model::new(&config.model, images.shape().try_into()?)?;
    let model = model.with_augmentation(config.train.augmentation());
    let update = config.train.update(count)?;
    let plan = |model: &Model| model.training(config.train.batch, count, true, &update, false);
    let (_, mut replay) = config.transform(images)?.replay(device, model, images, plan).await?;
    replay.write_initial(config.train.seed)?;
    Ok(replay)
}

/// The images that steps are trained on, each data set loaded once.
#[derive(Default)]
pub(super) struct DataSets(Vec<(DataConfig, Dataset)>);

impl DataSets {
    // A preset that is for data of its own trains on the built-in sample.
    pub(super) fn of(&mut self, config: &mut Config) -> Result<&Dataset> {
        if !matches!(config.data.source, Source::Sample | Source::Spiral | Source::Moons | Source::Mixture) {
            config.data = DataConfig::default();
        }
        let at = match self.0.iter().position(|(known, _)| *known == config.data) {
            Some(at) => at,
            None => {
                self.0.push((config.data.clone(), config.data.load()?.train));
                self.0.len() - 1
            }
        };
        Ok(&self.0[at].1)
    }
}

/// A benchmark with its buffers and pipelines, and the rounds of a sample.
pub(super) struct Prepared {
    runs: Runs,
    pub(super) rounds: usize,
    pub(super) flops: u64,
    pub(super) bytes: u64,
}

enum Runs {
    Launches(Vec<Launch>),
    Submits(Launch),
    Step(Box<Replay>),
}

impl Prepared {
    /// Compiles it, and finds out how many rounds make a sample.
    pub(super) async fn new(gpu: &Arc<Gpu>, benchmark: &Benchmark, data: &mut DataSets) -> Result<Self> {
        let (mut flops, mut bytes) = (benchmark.flops, benchmark.bytes);
        let mut runs = match &benchmark.work {
            Work::Kernels(kernels) => {
                let mut launches = Vec::new();
                for kernel in kernels {
                    launches.push(launch(gpu, kernel.as_ref()).await?);
                }
                Runs::Launches(launches)
            }
            Work::Submit(kernel) => Runs::Submits(launch(gpu, kernel.as_ref()).await?),
            Work::Step(config) => {
                let mut config = config.as_ref().clone();
                let images = data.of(&mut config)?;
                let replay = step(&Device::Gpu(Arc::clone(gpu)), &config, images).await?;
                flops = replay.plan().flops();
                bytes = replay.plan().dispatches.iter().map(|dispatch| dispatch.kernel.bytes()).sum();
                Runs::Step(Box::new(replay))
            }
        };
        let seconds = async |rounds| Ok(runs.lap(gpu, rounds).await?.seconds());
        let rounds = fitting_rounds(LEAST_SECONDS, MOST_ROUNDS, seconds).await?;
        Ok(Self { runs, rounds, flops, bytes })
    }

    /// What one round takes, by one sample.
    pub(super) async fn sample(&mut self, gpu: &Gpu) -> Result<Lap> {
        let lap = self.runs.lap(gpu, self.rounds).await?;
        let rounds = self.rounds as f64;
        Ok(Lap { wall: lap.wall / rounds, device: lap.device.map(|seconds| seconds / rounds) })
    }
}

impl Runs {
    async fn lap(&mut self, gpu: &Gpu, rounds: usize) -> Result<Lap> {
        match self {
            Self::Launches(launches) => time(gpu, launches, rounds).await,
            Self::Submits(launch) => time_submits(gpu, std::slice::from_ref(launch), rounds).await,
            Self::Step(replay) => {
                let began = Instant::now();
                replay.run(u32::try_from(rounds).unwrap_or(u32::MAX)).await?;
                Ok(Lap::by_wall(began.elapsed().as_secs_f64()))
            }
        }
    }
}

/// Whether the benchmark does not suit the device or its data, such as a preset for other images: others may.
pub(super) const fn is_unsuited(error: &Error) -> bool {
    use Error::{DeviceMemory, Setting, Shape, TooLarge};
    matches!(error, Setting { .. } | Shape { .. } | TooLarge { .. } | DeviceMemory { .. })
}
