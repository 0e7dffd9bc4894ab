//! The command line: parse, call, print. It knows the variants of the registry that is passed to it.

mod bench;
mod class;
mod decode;
mod decoded;
mod device;
mod devices;
mod embed;
mod encode;
mod eval;
mod export;
mod figures;
mod flags;
mod interpolate;
mod interrupt;
mod introduction;
mod kernels;
mod loading;
#[cfg(test)]
#[allow(clippy::panic, clippy::print_stdout)]
mod mutated;
mod output;
mod picture;
mod plan;
mod presets;
mod progress;
mod report;
mod sample;
mod score;
mod settings;
mod table;
mod train;
mod trained;
mod traverse;

use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::sync::Mutex;

use bytesize::ByteSize;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::device::DeviceFlags;
use self::settings::Given;
use crate::model::Registry;
use crate::{Error, Result};

#[derive(Parser)]
#[command(name = "narrows", version, about, max_term_width = 100)]
#[command(
    after_help = "Examples:\n  narrows train vae\n  narrows sample runs/vae-001\n  narrows devices\n\n\
    `narrows COMMAND --help` shows the flags of a command, with examples.\n\n\
    Exit codes: 0 done; 1 an error; 2 arguments that cannot be read; 128 + N stopped by signal N, as 130 by Ctrl-C."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    device: DeviceFlags,
}

#[derive(Subcommand)]
enum Command {
    /// Train an autoencoder; by default a VAE on the built-in sample of Fashion-MNIST
    Train(Box<train::Train>),
    /// List the presets of `train`, or show one as TOML
    Presets(presets::Presets),
    /// Reconstruct test images with a trained model, as a picture or an array
    Reconstruct(picture::Reconstruct),
    /// Decode random codes into new images, as a picture or an array; for models with a prior
    Sample(sample::Sample),
    /// Decode the codes between two images, as a picture or an array
    Interpolate(interpolate::Interpolate),
    /// Decode codes in which one number at a time varies, as a picture or an array
    Traverse(traverse::Traverse),
    /// Draw or write a map of codes in two dimensions, by t-SNE or principal components
    Embed(embed::Embed),
    /// Write the codes E[z given x] of images as .npy or .csv
    Encode(encode::Encode),
    /// Score items by how much they are out of the ordinary, as .csv, .npy or .jsonl
    Score(score::Score),
    /// Decode codes that are given, as a picture or an array
    Decode(decode::Decode),
    /// Write a trained model for other programs: as ONNX, or for PyTorch
    Export(export::Export),
    /// Write a run's report: curves, pictures, codes and settings in one HTML file
    Report(report::Report),
    /// Evaluate a trained model: reconstruction, KL, ELBO, importance-weighted bound, active units
    Eval(eval::Eval),
    /// Make the figures of Murphy's section 20.3: pictures, numbers and one page with all
    Figures(figures::Figures),
    /// Show the dispatches of a training step, with shapes and cost
    Plan(Box<plan::PlanCommand>),
    /// Measure a device: its ceilings, matrix products, convolutions and training steps; compare with an earlier time
    Bench(bench::Bench),
    /// List the devices, with their limits and the kernels that run on them
    Devices(devices::Devices),
}

/// What every command gets: the variants, the settings given as flags, and the device flags.
struct Context {
    registry: Registry,
    given: Given,
    device: DeviceFlags,
}

/// Runs the command line with the variants of a registry: all commands of `narrows`.
pub fn run(registry: Registry) -> ExitCode {
    let plain = Arguments::command();
    let settable = plain.get_subcommands().filter(|command| SETTABLE.contains(&command.get_name()));
    if let Err(error) = settings::check_flags(settable.chain([&plain]), &registry) {
        output::note(&format!("error: {error}"));
        return ExitCode::FAILURE;
    }
    fit_threads();
    let matches = command(&registry).get_matches();
    let given = matches.subcommand().filter(|(name, _)| SETTABLE.contains(name));
    let given = given.map(|(_, matches)| settings::given(matches, &registry)).unwrap_or_default();
    let outcome = match Arguments::from_arg_matches(&matches) {
        Ok(Arguments { command, device }) => {
            pollster::block_on(dispatch(command, &Context { registry, given, device }))
        }
        Err(error) => error.exit(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Error::Stopped) => ExitCode::from(interrupt::stopped()),
        // As a program that the signal of a closed pipe ended: not all of it was written.
        Err(error) if output::is_closed_pipe(&error) => ExitCode::from(141),
        Err(error) => {
            output::note(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

// Where the system allows fewer threads than there are processors, as many as it allows: the pool of a program is made once,
// and what uses it would panic if it could not be.
fn fit_threads() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = rayon::ThreadPoolBuilder::new();
    // One is kept back, since those of the trial may not be gone yet.
    let pool = match startable(processors + 1).saturating_sub(1) {
        0 => pool.num_threads(1).use_current_thread(),
        threads => pool.num_threads(threads),
    };
    // One that is there already was made by the program around this one.
    let _ = pool.build_global();
}

// How many threads can be there at the same time, up to so many.
fn startable(most: usize) -> usize {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        let shut = gate.lock();
        let wait = || drop(gate.lock());
        let start = |_| std::thread::Builder::new().spawn_scoped(scope, wait).ok();
        let started: Vec<_> = (0..most).map_while(start).collect();
        drop(shut);
        started.into_iter().map(std::thread::ScopedJoinHandle::join).filter(Result::is_ok).count()
    })
}

// A number of bytes on the command line.
fn size(text: &str) -> std::result::Result<ByteSize, String> {
    text.parse().map_err(|_| "expected a number of bytes, such as 512MiB or 2GiB".to_owned())
}

/// A seed on the command line.
fn seed(text: &str) -> std::result::Result<u64, String> {
    let seed = text.parse::<u64>().ok().filter(|seed| *seed < 1 << 63);
    seed.ok_or_else(|| format!("expected a whole number from 0 to {}", u64::MAX >> 1))
}

/// A whole number of these on the command line.
fn whole(range: RangeInclusive<u32>) -> impl Fn(&str) -> std::result::Result<u32, String> + Clone {
    move |text| {
        let number = text.parse::<u32>().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("expected a whole number from {} to {}", range.start(), range.end()))
    }
}

/// The index of an image or row on the command line.
fn index(text: &str) -> std::result::Result<usize, String> {
    text.parse().map_err(|_| "expected the index of an image or row, a whole number from 0".to_owned())
}

// The commands with a flag for each setting.
const SETTABLE: [&str; 2] = ["train", "plan"];

fn command(registry: &Registry) -> clap::Command {
    let settable = |command: clap::Command, name: &str| {
        command.mut_subcommand(name, |command| settings::with_settings(command, registry))
    };
    let command = SETTABLE.into_iter().fold(Arguments::command(), settable);
    // `--seed -1` is a wrong value rather than an unknown flag.
    let signed = |arg: clap::Arg| {
        let takes_values = arg.get_action().takes_values();
        arg.allow_negative_numbers(takes_values)
    };
    let command = command.mut_subcommands(|command| command.mut_args(signed));
    command.mut_subcommand("train", |command| command.after_help(train::after_help(registry)))
}

async fn dispatch(command: Command, context: &Context) -> Result<()> {
    match command {
        Command::Train(command) => command.run(context).await,
        Command::Presets(command) => command.run(context),
        Command::Reconstruct(command) => command.run(context).await,
        Command::Sample(command) => command.run(context).await,
        Command::Interpolate(command) => command.run(context).await,
        Command::Traverse(command) => command.run(context).await,
        Command::Embed(command) => command.run(context).await,
        Command::Encode(command) => command.run(context).await,
        Command::Decode(command) => command.run(context).await,
        Command::Score(command) => command.run(context).await,
        Command::Export(command) => command.run(context),
        Command::Report(command) => command.run(context).await,
        Command::Eval(command) => command.run(context).await,
        Command::Figures(command) => command.run(&context.device).await,
        Command::Plan(command) => command.run(context).await,
        Command::Bench(command) => command.run(context).await,
        Command::Devices(command) => command.run().await,
    }
}
