//! `narrows train`: starts or resumes a run.

use std::io;
use std::path::{Path, PathBuf};

use crate::data::{Dataset, DrawnParts, Flattened, Split};
use crate::graph::{Device, Rows};
use crate::model::Registry;
use crate::report::{report_run, shell_word};
use crate::run::{METRICS, Run, reconstructions_of_epoch, samples_of_epoch};
use crate::train::{Checkpoint, Config, ScheduleKind, Trainer};
use crate::{Error, Result};

use super::Context;
use super::flags::ConfigFlags;
use super::loading::loaded;
use super::output::note;
use super::progress::Reporter;

/// Train an autoencoder
#[derive(clap::Args)]
pub(super) struct Train {
    /// Folder for the run's files [default: runs/PRESET-NNN]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Resume the run in this folder; results are bit-identical to an uninterrupted run
    #[arg(long, value_name = "RUN", conflicts_with = "run")]
    resume: Option<PathBuf>,
    /// Print one line of JSON per epoch on standard output, and everything else on standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) config: ConfigFlags,
}

// Columns that a line names, and warnings of columns.
const SHOWN: usize = 8;

const EXAMPLES: &str = "Examples:
  narrows train vae
  narrows train mlp --hidden 256,64 --latent 10 --optimizer adam --lr 1e-3 --epochs 20
  narrows train vae --data fashion-mnist --seed 7 --run runs/full
  narrows train vae --data photos --size 32 --likelihood gaussian-learned
  narrows train mlp --data digits.npy
  narrows train --resume runs/full --epochs 30
  narrows train --config runs/full/config.toml --seed 8

A run's folder gets config.toml, metrics.jsonl, last.safetensors, best.safetensors, pictures after each
epoch and, at the end, report.html. Ctrl-C saves and stops; --resume continues with bit-identical results.";

/// The presets of the registry, and examples.
pub(super) fn after_help(registry: &Registry) -> String {
    let widest = registry.presets().map(|(_, preset)| preset.name.len()).max().unwrap_or_default();
    let lines =
        registry.presets().map(|(_, preset)| format!("\n  {:widest$}  {}", preset.name, preset.summary));
    format!("Presets (flags change their settings):{}\n\n{EXAMPLES}", lines.collect::<String>())
}

impl Train {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        match &self.resume {
            Some(folder) => self.resume(folder, context).await,
            None => self.begin(context).await,
        }
    }

    async fn begin(&self, context: &Context) -> Result<()> {
        let config = self.config.resolve(&context.registry, &context.given)?;
        if let Some(folder) = &self.run {
            Run::check_new(folder)?;
        }
        let split = loaded(&config.data, None, None)?;
        let given =
            |name: &str| context.given.model.contains_key(name) || context.given.train.contains_key(name);
        let chosen = |name: &str| self.config.has_file() || given(name);
        let preset = Config::preset_of(&context.registry, &config.preset)?;
        let (config, changed) = config.suited_to(&split.train, &preset, chosen)?;
        changed.iter().for_each(|change| note(&format!("note: {change}")));
        let device = context.device.open().await?;
        let folder = match &self.run {
            Some(folder) => folder.clone(),
            None => next_folder(&config.preset)?,
        };
        let run = Run::create(&folder, &device, &config, &split).await?;
        self.train(run, &folder, &device, &split).await
    }

    async fn resume(&self, folder: &Path, context: &Context) -> Result<()> {
        let checkpoint = Checkpoint::last(&context.registry, folder)?;
        let config = self.config.for_resume(&context.given, &checkpoint.config)?;
        let data = config.data.clone().seen_from(folder);
        let split = loaded(&data, Some(&checkpoint), DrawnParts::find(folder)?)?;
        let device = context.device.open_for(&checkpoint).await?;
        let run = Run::resume(folder, &device, &checkpoint, &config, &split).await?;
        self.train(run, folder, &device, &split).await
    }

    async fn train(&self, mut run: Run, folder: &Path, device: &Device, split: &Split) -> Result<()> {
        let config = run.trainer().config().clone();
        let mut reporter = Reporter::new(config.train.epochs, split.train.items(), self.json)?;
        if run.trainer().epochs_done() == config.train.epochs {
            let epochs = config.train.epochs;
            // More epochs need a learning rate that has not fallen to zero.
            let more = match config.train.schedule {
                ScheduleKind::Constant => format!("; to continue, give --epochs above {epochs}"),
                ScheduleKind::Linear | ScheduleKind::Cosine => String::new(),
            };
            reporter.say(&format!("all {epochs} epochs are done{more}"));
        } else {
            introduce(&mut reporter, &run, device, split);
        }
        let outcome = run.train(&mut |event| reporter.note(&event)).await;
        reporter.clear();
        match &outcome {
            Ok(()) => {
                let checkpoint = run.trainer().checkpoint().await?;
                let (report, verdict) = report_run(folder, device, &checkpoint, split).await?;
                let compared = verdict.compared(split.held_out_name());
                compared.iter().for_each(|compared| reporter.say(&format!("compare:  {compared}")));
                verdict.warnings.iter().for_each(|warning| note(&format!("warning: {warning}")));
                conclude(&mut reporter, folder, run.trainer(), &report);
            }
            Err(Error::Stopped) => {
                let folder = shell_word(&folder.display().to_string());
                note(&format!("stopped and saved; resume with: narrows train --resume {folder}"));
            }
            Err(Error::Device { .. } | Error::DeviceLost { .. }) => {
                let folder = shell_word(&folder.display().to_string());
                note(&format!("the last checkpoint is kept; resume with: narrows train --resume {folder}"));
            }
            Err(_) => {}
        }
        outcome.and(reporter.written())
    }
}

fn introduce(reporter: &mut Reporter, run: &Run, device: &Device, split: &Split) {
    let (plan, config) = (run.trainer().plan(), run.trainer().config());
    reporter.say(&format!(
        "{} on {}: {} training and {} validation {}, {} parameters, {} dispatches per step",
        config.preset,
        device.name(),
        split.train.len(),
        split.validation.len(),
        split.train.items().many(),
        plan.parameter_count(),
        plan.dispatches.len(),
    ));
    let scaling = &run.trainer().transform().scaling;
    if !scaling.is_identity() || split.train.values.bytes().is_none() {
        reporter.say(&format!("scale:    {}", scaling.described(&split.train)));
        let units = match scaling.is_identity() {
            true => "losses, pictures and outputs are in the data's own".to_owned(),
            false => format!("losses are in {}, pictures and outputs in the data's own", scaling.units()),
        };
        reporter.say(&format!("units:    {units}"));
    }
    let rows = run.trainer().transform().rows(&split.train);
    if rows == Rows::Halves && config.data.precision.is_none() {
        reporter.say(
            "memory:   16-bit floats, since 32-bit ones take more than 128 MiB (--precision f32 keeps them)",
        );
    }
    if scaling.shift.len() > 1 {
        name_constant_columns(reporter, &split.train);
        for column in scaling.flattened(&split.train).iter().take(SHOWN) {
            note(&format!("warning: {}", of_flattened(column)));
        }
    }
    reporter.say(&format!("reported: {}", split.train.items().reported()));
    reporter.say(&format!("minimized: {}", run.trainer().model().minimized()));
}

fn of_flattened(column: &Flattened) -> String {
    let Flattened { name, farthest, spread, .. } = column;
    format!(
        "column {name} has values as far as {farthest}, beside which its others look alike: half of them lie within \
         {spread:.1e} units of the scale. If they are wrong, correct them or leave the column out (--drop); else give \
         --scale robust or log1p"
    )
}

// Columns that say nothing of any row.
fn name_constant_columns(reporter: &mut Reporter, train: &Dataset) {
    let constant = train.constant_columns();
    let name = |at: &usize| train.columns.get(*at).map_or_else(|| at.to_string(), ToString::to_string);
    let shown: Vec<String> = constant.iter().take(SHOWN).map(name).collect();
    let more = if constant.len() > shown.len() { ", ..." } else { "" };
    let names = shown.join(", ");
    match constant.len() {
        0 => {}
        1 => reporter.say(&format!("columns:  {names} has one number in all rows")),
        count => reporter.say(&format!("columns:  {count} have one number in all rows: {names}{more}")),
    }
}

// Lists the files, so that a new user sees the pictures.
fn conclude(reporter: &mut Reporter, folder: &Path, trainer: &Trainer, report: &Path) {
    reporter.say(&format!("report:   {}", report.display()));
    reporter.say(&format!("model:    {}", folder.join("best.safetensors").display()));
    reporter.say(&format!("metrics:  {}", folder.join(METRICS).display()));
    let epoch = trainer.config().train.epochs;
    let pictures = [reconstructions_of_epoch(epoch), samples_of_epoch(epoch)];
    for (what, name) in ["pictures:", "         "].into_iter().zip(pictures) {
        let path = folder.join(name);
        if path.exists() {
            reporter.say(&format!("{what} {}", path.display()));
        }
    }
    let next = if trainer.model().prior().is_some() { "sample" } else { "reconstruct" };
    let folder = shell_word(&folder.display().to_string());
    reporter.say(&format!("next:     narrows {next} {folder}, narrows eval {folder}"));
}

// Creates the folder at once, so that two runs started together do not share it.
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
