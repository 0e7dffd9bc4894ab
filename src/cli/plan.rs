//! `narrows plan`: the dispatches of a training step, and whether a device computes them right.

use narrows::data;
use narrows::gpu::{MatMulVariant, Variants};
use narrows::graph::{Device, first_difference};
use narrows::kernels::state::State;
use narrows::model::Model;
use narrows::reference::compare::Tolerance;
use narrows::train::packed;
use narrows::{Error, Result};

use super::DeviceFlags;
use super::flags::ConfigFlags;

/// Show the dispatches of a training step
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows plan vae\n  narrows plan mlp --hidden 256,64 --batch 32\n  \
    narrows plan vae --check")]
pub(super) struct PlanCommand {
    #[command(flatten)]
    config: ConfigFlags,
    /// Run one step on the device and on the CPU reference, and name the first dispatch that differs
    #[arg(long)]
    check: bool,
}

impl PlanCommand {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let config = self.config.resolve()?;
        let split = data::load(config.data.source, config.data.dir.as_deref(), config.data.validation)?;
        let images = &split.train;
        let model = Model::new(&config.model, images.pixels() as u32)?;
        let train = &config.train;
        let total = images.len() as u32;
        let device = device.open().await?;
        // The reference has no variants; its plan is shown as a GPU would run it.
        let variants = device.variants().unwrap_or(Variants { matmul: MatMulVariant::Tile });
        let plan = model.training(train.batch, total, true, train.optimizer(), self.check)?;
        print!("{}", plan.table(&variants));
        if !self.check {
            return Ok(());
        }
        if matches!(device, Device::Cpu) {
            return Err(Error::setting("--check", "a device to hold against the reference", "--device cpu"));
        }
        let initial = plan.parameters.initial(train.seed);
        let center = config.model.center.then(|| vec![0.25; images.pixels()]);
        let setup = |replay: &mut narrows::graph::Replay| -> Result<()> {
            replay.write("images", &packed(&images.images))?;
            replay.write_floats("parameters", &initial)?;
            if let Some(center) = &center {
                replay.write_floats("center", center)?;
            }
            replay.write_state(&State::new(train.seed, train.learning_rate, train.optimizer().betas()))
        };
        let tolerance = Tolerance::new(1e-4, 1e-3);
        match first_difference(&plan, &device, &Device::Cpu, tolerance, setup).await? {
            None => {
                println!("{} agrees with the CPU reference on every buffer of the step", device.name());
                Ok(())
            }
            Some(difference) => {
                Err(Error::Device { operation: "plan --check".to_owned(), message: difference.to_string() })
            }
        }
    }
}
