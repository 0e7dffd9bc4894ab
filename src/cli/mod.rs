//! The command line's arguments and its exit codes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what a command line is for")]

mod devices;
mod flags;
mod infer;
mod plan;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use narrows::gpu::{GpuOptions, MatMulVariant};
use narrows::graph::Device;
use narrows::{Error, Result};

#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
#[command(
    after_help = "Examples:\n  narrows train vae\n  narrows sample runs/vae-001\n  narrows devices\n\n\
    Every subcommand has a --help with an example."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    device: DeviceFlags,
}

#[derive(Subcommand)]
enum Command {
    /// Train an autoencoder; without any flag, on a sample of Fashion-MNIST that is built in
    Train(Box<train::Train>),
    /// Reconstruct test images with a trained model, as a picture
    Reconstruct(infer::Reconstruct),
    /// Draw new images from a trained variational autoencoder, as a picture
    Sample(infer::Sample),
    /// Write the codes E[z given x] of images as .npy or .csv
    Encode(infer::Encode),
    /// Evaluate a trained model: reconstruction, KL and ELBO
    Eval(infer::Eval),
    /// Show the dispatches of a training step, each with shapes and cost
    Plan(Box<plan::PlanCommand>),
    /// List the devices, what they offer and the kernels they would get
    Devices(devices::Devices),
}

#[derive(clap::Args)]
struct DeviceFlags {
    /// INDEX, part of a NAME, BACKEND:INDEX as `narrows devices` lists them, or `cpu` for the reference
    #[arg(long, global = true, value_name = "DEVICE", default_value = "auto", hide_default_value = true)]
    device: String,
    /// Matrix products: tile, register or shuffle [default: by the device]
    #[arg(long, global = true, value_name = "VARIANT")]
    matmul: Option<String>,
}

impl DeviceFlags {
    async fn open(&self) -> Result<Device> {
        self.open_with(None).await
    }

    // `stored` is the variant of the run being continued; flags come first.
    async fn open_with(&self, stored: Option<&str>) -> Result<Device> {
        if self.device == "cpu" {
            return Ok(Device::Cpu);
        }
        let selector = self.device.parse()?;
        let flag = self.matmul.as_deref().map(str::parse::<MatMulVariant>).transpose()?;
        let stored = stored.map(str::parse::<MatMulVariant>).transpose()?;
        let options = GpuOptions { selector, matmul: flag.or(stored), only_defaults: false };
        match Device::open(&options).await {
            // The run came from another kind of device: go on with what this one can do, and say so.
            Err(error @ Error::Setting { .. }) if flag.is_none() && stored.is_some() => {
                eprintln!("note: {error}; the numbers will differ in their last bits");
                Device::open(&GpuOptions { matmul: None, ..options }).await
            }
            outcome => outcome,
        }
    }
}

/// Runs the command line.
pub(crate) fn main() -> ExitCode {
    let Arguments { command, device } = Arguments::parse();
    let outcome = pollster::block_on(async {
        match command {
            Command::Train(command) => command.run(&device).await,
            Command::Reconstruct(command) => command.run(&device).await,
            Command::Sample(command) => command.run(&device).await,
            Command::Encode(command) => command.run(&device).await,
            Command::Eval(command) => command.run(&device).await,
            Command::Plan(command) => command.run(&device).await,
            Command::Devices(command) => command.run().await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Stopped) => ExitCode::from(130),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
