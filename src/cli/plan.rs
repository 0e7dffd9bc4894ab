//! `narrows plan`: the dispatches of a training step, their times, and a check against the CPU reference.

use crate::data::Dataset;
use crate::gpu::{MatMulVariant, Variants};
use crate::graph::{Device, Plan, Replay, first_difference};
use crate::model::Model;
use crate::reference::compare::Tolerance;
use crate::train::Config;
use crate::{Error, Result};

use super::Context;
use super::flags::ConfigFlags;
use super::loading::loaded;
use super::output::line;

/// Show the dispatches of a training step
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows plan vae\n  narrows plan mlp --hidden 256,64 --batch 32\n  \
    narrows plan vae --check\n  narrows plan cnn --measure\n  narrows plan vae --batch 1024 --memory")]
pub(super) struct PlanCommand {
    /// Run one step on the device and on the CPU reference, and report the first dispatch that differs
    #[arg(long)]
    check: bool,
    /// Run each dispatch by itself on the device, and show its time
    #[arg(long, conflicts_with = "check")]
    measure: bool,
    #[command(flatten)]
    pub(super) config: ConfigFlags,
}

impl PlanCommand {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        if self.check && context.device.is_cpu() {
            return Err(Error::setting(
                "--check",
                "a device to compare with the CPU reference",
                "--device cpu",
            ));
        }
        let config = self.config.resolve(&context.registry, &context.given)?;
        let split = loaded(&config.data)?;
        let images = split.train;
        let total = images.len() as u32;
        let memory = context.device.asks_for_memory();
        if memory && (self.check || self.measure) {
            let expected = "a size beside --check and --measure, or neither of them";
            return Err(Error::setting("--memory", expected, "none"));
        }
        let device =
            if memory { context.device.open_with(None).await? } else { context.device.open().await? };
        let config = config.fitted_to_data(&images)?;
        let model = Model::new(&config.model, images.shape().try_into()?)?;
        let transform = config.transform(&images)?;
        let model = transform.reading(model, &device, &images);
        let model = model.with_augmentation(config.train.augmentation());
        let update = config.train.update(total)?;
        let plan = model.training(config.train.batch, total, true, &update, self.check)?;
        // The reference has no variants; its plan is shown for a GPU.
        let variants = device.variants().unwrap_or(Variants::one(MatMulVariant::Tile64x4));
        if memory {
            let evaluation = match split.validation.len() {
                0 => None,
                count => {
                    Some(transform.reading(model, &device, &split.validation).evaluation_of(count as u32)?)
                }
            };
            return line(&memory_of(&plan, evaluation.as_ref(), &variants));
        }
        if self.measure {
            let mut replay = Replay::new(&device, plan.clone()).await?;
            set_up(&mut replay, &config, &images)?;
            let times = replay.measure().await?;
            return line(times.table(&plan, &variants).trim_end());
        }
        line(plan.table(&variants).trim_end())?;
        if self.check { check(&plan, &config, &images, &device).await } else { Ok(()) }
    }
}

// Everything that a first step reads.
fn set_up(replay: &mut Replay, config: &Config, images: &Dataset) -> Result<()> {
    config.transform(images)?.feed(replay, images)?;
    replay.write_initial(config.train.seed)
}

// The plan's buffers, and beside them those of the evaluation after each epoch, which has its own.
fn memory_of(training: &Plan, evaluation: Option<&Plan>, variants: &Variants) -> String {
    let table = training.memory_table(variants);
    let Some(evaluation) = evaluation else { return table.trim_end().to_owned() };
    let shared = training.scratch_memory(variants).min(evaluation.scratch_memory(variants));
    let [step, after] = [training.device_memory(variants), evaluation.device_memory(variants) - shared]
        .map(|bytes| bytes as f64 * 1e-6);
    format!("{table}{after:.3} MB more for the evaluation after each epoch\n{:.3} MB in all", step + after)
}

async fn check(plan: &Plan, config: &Config, images: &Dataset, device: &Device) -> Result<()> {
    let tolerance = Tolerance::new(1e-5, 1e-4);
    let setup = |replay: &mut Replay| set_up(replay, config, images);
    match first_difference(plan, device, &Device::Cpu, tolerance, setup).await? {
        None => line(&format!("{} agrees with the CPU reference on every buffer of the step", device.name())),
        Some(difference) => Err(Error::Differs {
            operation: "plan --check".to_owned(),
            device: device.name(),
            difference: difference.to_string(),
        }),
    }
}
