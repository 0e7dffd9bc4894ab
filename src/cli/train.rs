//! `narrows train`: a run with its progress bar, from the first epoch or from a checkpoint.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use narrows::data;
use narrows::model::LikelihoodKind;
use narrows::train::{Checkpoint, Config, EpochReport, Losses, Progress, Run, RunEvent, json_line};
use narrows::{Error, Result};

use super::DeviceFlags;
use super::flags::ConfigFlags;

/// Train an autoencoder
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  narrows train vae\n  narrows train mlp --hidden 256,64 --latent 10 \
    --optimizer adam --lr 1e-3 --epochs 20\n  narrows train vae --data fashion-mnist --seed 7 --run runs/full\n  \
    narrows train --resume runs/full --epochs 30")]
pub(super) struct Train {
    #[command(flatten)]
    config: ConfigFlags,
    /// Folder for the run's files [default: runs/VARIANT-NNN]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Go on with the run in this folder, to the same bits as if it had never stopped
    #[arg(long, value_name = "RUN", conflicts_with = "run")]
    resume: Option<PathBuf>,
    /// One line of JSON an epoch instead of text
    #[arg(long)]
    json: bool,
}

impl Train {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let checkpoint = match &self.resume {
            Some(folder) => Some(Checkpoint::load(&folder.join("last.safetensors"))?),
            None => None,
        };
        let config = match &checkpoint {
            Some(checkpoint) => self.config.for_resume(&checkpoint.config)?,
            None => self.config.resolve()?,
        };
        let split = data::load(config.data.source, config.data.dir.as_deref(), config.data.validation)?;
        let stored = checkpoint.as_ref().and_then(|checkpoint| checkpoint.matmul.as_deref());
        let device = device.open_with(stored).await?;
        let folder = match (&self.resume, &self.run) {
            (Some(folder), _) | (None, Some(folder)) => folder.clone(),
            (None, None) => next_folder(&config.model.variant),
        };
        let mut run = match &checkpoint {
            Some(checkpoint) => Run::resume(&folder, &device, checkpoint, &config, &split).await?,
            None => Run::create(&folder, &device, &config, &split).await?,
        };
        if !self.json {
            let plan = run.trainer().plan();
            println!(
                "{} on {}: {} training and {} validation images, {} parameters, {} dispatches a step",
                config.model.variant,
                device.name(),
                split.train.len(),
                split.validation.len(),
                plan.parameters.count(),
                plan.dispatches.len(),
            );
            println!("losses: {}, summed over an image's pixels and code, mean over images", unit(&config));
        }
        let mut reporter = Reporter::new(&config, run.trainer().epochs_done(), self.json)?;
        let outcome = run.train(&mut |event| reporter.note(&event)).await;
        reporter.bar.finish_and_clear();
        match outcome {
            Err(Error::Stopped) => {
                eprintln!("stopped and saved; go on with: narrows train --resume {}", folder.display());
                Err(Error::Stopped)
            }
            Ok(()) if !self.json => {
                finish(&folder, run.trainer().epochs_done(), run.trainer().config());
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// What losses are counted in.
pub(super) fn unit(config: &Config) -> &'static str {
    match config.model.likelihood {
        LikelihoodKind::SquaredError => "squared error",
        _ => "nats",
    }
}

// Tells of the pictures last, so that they are what a new user sees.
fn finish(folder: &Path, epoch: u32, config: &Config) {
    println!("model:    {}", folder.join("best.safetensors").display());
    println!("metrics:  {}", folder.join("metrics.jsonl").display());
    for (what, kind) in [("pictures:", "reconstructions"), ("         ", "samples")] {
        let path = folder.join(format!("epoch-{epoch:03}-{kind}.png"));
        if path.exists() {
            println!("{what} {}", path.display());
        }
    }
    if config.model.variant == "vae" {
        println!("next:     narrows sample {0}, narrows eval {0}", folder.display());
    } else {
        println!("next:     narrows reconstruct {0}, narrows eval {0}", folder.display());
    }
}

fn next_folder(variant: &str) -> PathBuf {
    let numbered = |number: u32| Path::new("runs").join(format!("{variant}-{number:03}"));
    (1..).map(numbered).find(|folder| !folder.exists()).unwrap_or_else(|| numbered(0))
}

/// Bar and lines of a run under way.
struct Reporter {
    bar: ProgressBar,
    config: Config,
    json: bool,
    stop: Arc<AtomicBool>,
    began: Instant,
    epochs_before: u32,
}

impl Reporter {
    fn new(config: &Config, epochs_before: u32, json: bool) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        ctrlc::set_handler(move || {
            // Asked twice, leave at once: the last checkpoint is whole.
            if asked.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        })
        .map_err(|error| Error::setting("Ctrl-C handler", "one handler", error))?;
        let visible = !json && std::io::stderr().is_terminal();
        let bar = if visible { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {msg}")
            .map_err(|error| Error::setting("progress bar", "a template", error))?;
        bar.set_style(style);
        Ok(Self { bar, config: config.clone(), json, stop, began: Instant::now(), epochs_before })
    }

    fn note(&mut self, event: &RunEvent<'_>) -> bool {
        match event {
            RunEvent::Progress(progress) => self.progress(progress),
            RunEvent::Epoch(report) => self.epoch(report),
        }
        !self.stop.load(Ordering::Relaxed)
    }

    fn progress(&self, progress: &Progress) {
        let epochs = self.config.train.epochs;
        let within = progress.step as f64 / progress.steps.max(1) as f64;
        let done = f64::from(progress.epoch - 1 - self.epochs_before) + within;
        let all = f64::from(epochs - self.epochs_before);
        let elapsed = self.began.elapsed().as_secs_f64();
        let left = elapsed / done.max(1e-9) * (all - done);
        // Every epoch has the same images but for the batch that straddles two.
        let images = done * progress.steps as f64 * f64::from(progress.batch);
        self.bar.set_length(progress.steps);
        self.bar.set_position(progress.step);
        self.bar.set_prefix(format!("epoch {}/{epochs}", progress.epoch));
        self.bar.set_message(format!(
            "{}, {:.0} images/s, {} left",
            losses(&progress.losses, self.config.model.kl_weight),
            images / elapsed.max(1e-9),
            clock(left),
        ));
    }

    fn epoch(&self, report: &EpochReport) {
        let weight = self.config.model.kl_weight;
        let line = if self.json {
            json_line(report).unwrap_or_default()
        } else {
            let validation = match &report.validation {
                Some(validation) => format!("  validation {}", losses(validation, weight)),
                None => String::new(),
            };
            format!(
                "epoch {:>3}/{}  train {}{validation}  {:.0} images/s{}",
                report.epoch,
                self.config.train.epochs,
                losses(&report.train, weight),
                report.images_per_second,
                if report.best { "  best" } else { "" },
            )
        };
        self.bar.suspend(|| println!("{line}"));
    }
}

fn losses(losses: &Losses, kl_weight: f32) -> String {
    let Losses { reconstruction, kl } = losses;
    let total = losses.objective(kl_weight);
    match (*kl == 0.0, kl_weight == 1.0) {
        (true, _) => format!("{total:.3}"),
        (false, true) => format!("{total:.2} (reconstruction {reconstruction:.2} + kl {kl:.2})"),
        (false, false) => {
            format!("{total:.2} (reconstruction {reconstruction:.2} + {kl_weight} x kl {kl:.2})")
        }
    }
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.round().clamp(0.0, 359_999.0) as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
