//! `narrows train`: a run, from the first epoch or from a checkpoint.

use std::io;
use std::path::{Path, PathBuf};

use narrows::data::Split;
use narrows::graph::Device;
use narrows::model::presets;
use narrows::report::{report_run, shell_word};
use narrows::train::{Checkpoint, PER_IMAGE, Run, ScheduleKind, Trainer};
use narrows::{Error, Result};

use super::DeviceFlags;
use super::flags::ConfigFlags;
use super::output::{note, told};
use super::progress::Reporter;

/// Train an autoencoder
#[derive(clap::Args)]
#[command(after_help = after_help())]
pub(super) struct Train {
    /// Folder for the run's files [default: runs/PRESET-NNN]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Go on with the run in this folder, to the same bits as if it had never stopped
    #[arg(long, value_name = "RUN", conflicts_with = "run")]
    resume: Option<PathBuf>,
    /// One line of JSON an epoch on standard output, all else on standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFlags,
}

const EXAMPLES: &str = "Examples:
  narrows train vae
  narrows train mlp --hidden 256,64 --latent 10 --optimizer adam --lr 1e-3 --epochs 20
  narrows train vae --data fashion-mnist --seed 7 --run runs/full
  narrows train vae --data photos --size 32 --likelihood gaussian-learned
  narrows train mlp --data digits.npy
  narrows train --resume runs/full --epochs 30
  narrows train --config runs/full/config.toml --seed 8

A run's folder gets config.toml, metrics.jsonl, last.safetensors, best.safetensors, each epoch's pictures
and, in the end, report.html. Ctrl-C saves, and --resume goes on to the same bits.";

fn after_help() -> String {
    let presets = presets();
    let widest = presets.iter().map(|preset| preset.name.len()).max().unwrap_or_default();
    let lines = presets.iter().map(|preset| format!("\n  {:widest$}  {}", preset.name, preset.summary));
    format!(
        "Presets, each with settings of its own where no flag says otherwise:{}\n\n{EXAMPLES}",
        lines.collect::<String>()
    )
}

impl Train {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        match &self.resume {
            Some(folder) => self.go_on(folder, device).await,
            None => self.begin(device).await,
        }
    }

    async fn begin(&self, device: &DeviceFlags) -> Result<()> {
        let config = self.config.resolve()?;
        if let Some(folder) = &self.run {
            Run::check_new(folder)?;
        }
        let split = told(config.data.load()?);
        let device = device.open().await?;
        let folder = match &self.run {
            Some(folder) => folder.clone(),
            None => next_folder(&config.preset)?,
        };
        let run = Run::create(&folder, &device, &config, &split).await?;
        self.train(run, &folder, &device, &split).await
    }

    async fn go_on(&self, folder: &Path, device: &DeviceFlags) -> Result<()> {
        let checkpoint = Checkpoint::last(folder)?;
        let config = self.config.for_resume(&checkpoint.config)?;
        let split = told(config.data.load_for(checkpoint.shape)?);
        let device = device.open_for(&checkpoint).await?;
        let run = Run::resume(folder, &device, &checkpoint, &config, &split).await?;
        self.train(run, folder, &device, &split).await
    }

    async fn train(&self, mut run: Run, folder: &Path, device: &Device, split: &Split) -> Result<()> {
        let config = run.trainer().config().clone();
        let mut reporter = Reporter::new(run.trainer().model(), config.train.epochs, self.json)?;
        if run.trainer().epochs_done() == config.train.epochs {
            let epochs = config.train.epochs;
            // A rate that has fallen to zero has nothing left to go on with.
            reporter.say(&match config.train.schedule {
                ScheduleKind::Constant => {
                    format!("all {epochs} epochs are done; --epochs with more than {epochs} goes on")
                }
                ScheduleKind::Linear | ScheduleKind::Cosine => format!("all {epochs} epochs are done"),
            });
        } else {
            introduce(&mut reporter, &run, device, split);
        }
        let outcome = run.train(&mut |event| reporter.note(&event)).await;
        reporter.clear();
        match &outcome {
            Ok(()) => {
                let report = report_run(folder, device, split).await?;
                conclude(&mut reporter, folder, run.trainer(), &report);
            }
            Err(Error::Stopped) => {
                let folder = shell_word(&folder.display().to_string());
                note(&format!("stopped and saved; go on with: narrows train --resume {folder}"));
            }
            Err(_) => {}
        }
        outcome.and(reporter.written())
    }
}

fn introduce(reporter: &mut Reporter, run: &Run, device: &Device, split: &Split) {
    let (plan, config) = (run.trainer().plan(), run.trainer().config());
    reporter.say(&format!(
        "{} on {}: {} training and {} validation images, {} parameters, {} dispatches a step",
        config.preset,
        device.name(),
        split.train.len(),
        split.validation.len(),
        plan.parameters.count(),
        plan.dispatches.len(),
    ));
    reporter.say(&format!("losses: {} per image ({PER_IMAGE})", config.model.likelihood.unit()));
    reporter.say(&format!("minimized: {}", run.trainer().model().minimized()));
}

// Tells of the pictures, so that they are what a new user sees.
fn conclude(reporter: &mut Reporter, folder: &Path, trainer: &Trainer, report: &Path) {
    reporter.say(&format!("report:   {}", report.display()));
    reporter.say(&format!("model:    {}", folder.join("best.safetensors").display()));
    reporter.say(&format!("metrics:  {}", folder.join("metrics.jsonl").display()));
    let epoch = trainer.config().train.epochs;
    for (what, kind) in [("pictures:", "reconstructions"), ("         ", "samples")] {
        let path = folder.join(format!("epoch-{epoch:03}-{kind}.png"));
        if path.exists() {
            reporter.say(&format!("{what} {}", path.display()));
        }
    }
    let next = if trainer.model().has_prior() { "sample" } else { "reconstruct" };
    let folder = shell_word(&folder.display().to_string());
    reporter.say(&format!("next:     narrows {next} {folder}, narrows eval {folder}"));
}

// Makes the folder at once, so that two runs begun together do not share it.
fn next_folder(preset: &str) -> Result<PathBuf> {
    let runs = Path::new("runs");
    std::fs::create_dir_all(runs).map_err(Error::io("create", runs))?;
    let mut number = 1;
    loop {
        let folder = runs.join(format!("{preset}-{number:03}"));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::io("create", folder)(error)),
        }
    }
}
