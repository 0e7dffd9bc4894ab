//! `narrows train`: starts or resumes a run.

use std::io;
use std::path::{Path, PathBuf};

use crate::data::{DrawnParts, Split};
use crate::graph::Device;
use crate::infer::too_high;
use crate::model::Registry;
use crate::report::{report_run, shell_word};
use crate::run::{Beginning, Parent, Run, RunEvent, RunLock, check_folder, make_folder};
use crate::train::{Checkpoint, Config, EpochReport, Trainer};
use crate::{Error, Result};

use super::Context;
use super::flags::{ConfigFlags, is_fork};
use super::interrupt::Interrupt;
use super::introduction::{conclude, introduce};
use super::loading::{loaded, loaded_for};
use super::output::note;
use super::progress::Reporter;
use super::trained::{From, remarked};

/// Train an autoencoder
#[derive(clap::Args)]
pub(super) struct Train {
    /// Folder for the run's files [default: runs/PRESET-NNN]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Resume the run in this folder; results are bit-identical to an uninterrupted run. With other settings of training,
    /// as --learning-rate, it goes on as a new run [default: RUN-fork-NNN], and this one stays as it is
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    /// Second folder, for checkpoints that the run's folder does not take, as on a full disk; without it the run waits for
    /// room, 10 minutes at most
    #[arg(long, value_name = "DIR")]
    rescue: Option<PathBuf>,
    #[command(flatten)]
    from: From,
    /// Print one line of JSON per epoch on standard output, and everything else on standard error
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) config: ConfigFlags,
}

const EXAMPLES: &str = "Examples:
  narrows train vae
  narrows train mlp --hidden 256,64 --latent 10 --optimizer adam --lr 1e-3 --epochs 20
  narrows train vae --data fashion-mnist --seed 7 --run runs/full
  narrows train vae --data photos --size 32 --likelihood gaussian-learned
  narrows train mlp --data digits.npy
  narrows train --resume runs/full --epochs 30
  narrows train --resume runs/full --learning-rate 1e-4 --epochs 40
  narrows train vae --init runs/full --data photos --on-nan rewind --patience 5
  narrows train --config runs/full/config.toml --seed 8

A run's folder gets config.toml, metrics.jsonl, last.safetensors, previous.safetensors, best.safetensors,
pictures after each epoch and, at the end, report.html. Ctrl-C saves and stops; --resume continues with bit-identical results.";

/// The presets of the registry, and examples.
pub(super) fn after_help(registry: &Registry) -> String {
    let widest = registry.presets().map(|(_, preset)| preset.name.len()).max().unwrap_or_default();
    let lines =
        registry.presets().map(|(_, preset)| format!("\n  {:widest$}  {}", preset.name, preset.summary));
    format!("Presets (flags change their settings):{}\n\n{EXAMPLES}", lines.collect::<String>())
}

impl Train {
    pub(super) async fn run(&self, context: &Context) -> Result<()> {
        self.rescue.as_deref().map_or(Ok(()), check_folder)?;
        match &self.resume {
            Some(folder) => self.resume(folder, context).await,
            None => self.begin(context).await,
        }
    }

    async fn begin(&self, context: &Context) -> Result<()> {
        let mut given = context.given.clone();
        let other = Parent::named_in(&mut given.model)?;
        if let Some(from) = self.from.0.filter(|_| other.is_none()) {
            let expected = "--resume RUN or --init RUN with it";
            return Err(Error::setting("--from", expected, format!("--from {from} alone")));
        }
        let config = self.config.resolve(&context.registry, &given)?;
        if let Some(folder) = &self.run {
            Run::check_new(folder)?;
        }
        let find = |other: &String| Parent::find(&context.registry, Path::new(other), self.from.0);
        let init = other.as_ref().map(find).transpose()?.map(|(parent, remark)| {
            remark.iter().for_each(|remark| note(&format!("note: {remark}")));
            parent
        });
        let split = loaded(&config.data)?;
        // From here on a signal leaves a run that can be resumed.
        let stop = Interrupt::listen()?;
        let given = |name: &str| given.model.contains_key(name) || given.train.contains_key(name);
        let chosen = |name: &str| self.config.has_file() || given(name);
        let preset = Config::preset_of(&context.registry, &config.preset)?;
        let (config, changed) = config.suited_to(&split.train, &preset, chosen)?;
        changed.iter().for_each(|change| note(&format!("note: {change}")));
        let device = context.device.open().await?;
        let folder = match &self.run {
            Some(folder) => folder.clone(),
            None => next_folder(&Path::new("runs").join(&config.preset))?,
        };
        let name = other.unwrap_or_default();
        let beginning = init.as_ref().map_or(Beginning::Seed, |parent| parent.beginning(&name));
        let run = Run::create_from(&folder, &device, &config, &split, &beginning).await?;
        self.train(run, &folder, &device, &split, stop).await
    }

    async fn resume(&self, folder: &Path, context: &Context) -> Result<()> {
        // First, so that no other process moves the run on meanwhile. A fork only reads it.
        let lock = RunLock::of_run(folder);
        let checkpoint = remarked(Checkpoint::find_to_resume(&context.registry, folder, self.from.0)?);
        let run_config = checkpoint.config_in(&context.registry, folder)?;
        let config = self.config.for_resume(&context.given, &run_config)?;
        let data = config.data.clone().seen_from(folder);
        let fork = is_fork(&config, &checkpoint.config);
        let lock = match fork {
            // Its folder is another.
            true => {
                drop(lock);
                None
            }
            false => Some(lock?),
        };
        match &self.run {
            Some(place) if fork => Run::check_new(place)?,
            Some(place) => {
                let expected =
                    "no such flag with --resume and the run's own settings, which goes on in its folder";
                return Err(Error::setting("--run", expected, place.display()));
            }
            None => {}
        }
        if fork && config.train.epochs <= checkpoint.epoch() {
            let expected = format!("more than the {} that are done: give --epochs too", checkpoint.epoch());
            return Err(Error::setting("epochs", expected, config.train.epochs));
        }
        let split = loaded_for(&data, &checkpoint, Vec::new(), DrawnParts::find(folder)?)?;
        let stop = Interrupt::listen()?;
        let device = context.device.open_for(&checkpoint).await?;
        let Some(lock) = lock else {
            let place = match &self.run {
                Some(place) => place.clone(),
                None => next_folder(&with_ending(folder, "-fork"))?,
            };
            let name = named(folder).display().to_string();
            let config = Config { data, ..config };
            let beginning = Beginning::Fork(&checkpoint, &name);
            let run = Run::create_from(&place, &device, &config, &split, &beginning).await?;
            return self.train(run, &place, &device, &split, stop).await;
        };
        let run = Run::resume(lock, &device, &checkpoint, &config, &split).await?;
        self.train(run, folder, &device, &split, stop).await
    }

    async fn train(
        &self,
        mut run: Run,
        folder: &Path,
        device: &Device,
        split: &Split,
        stop: Interrupt,
    ) -> Result<()> {
        run.remarks().iter().for_each(|remark| note(&format!("note: {remark}")));
        if let Some(rescue) = &self.rescue {
            run.rescue_in(rescue)?;
        }
        let config = run.trainer().config().clone();
        let mut reporter = Reporter::new(config.train.epochs, split.train.items(), self.json, stop)?;
        if run.trainer().is_done() && !run.trainer().is_out_of_patience() {
            let epochs = config.train.epochs;
            // More epochs need a learning rate that has not fallen to zero.
            let more = match config.train.schedule.falls_to_zero() {
                false => format!("; to continue, give --epochs above {epochs}"),
                true => String::new(),
            };
            reporter.say(&format!("all {epochs} epochs are done{more}"));
        } else if !run.trainer().is_done() {
            introduce(&mut reporter, &run, device, split);
        }
        let constant = held_out_constant(&run, split);
        let mut watch = |event: RunEvent<'_>| {
            let going = reporter.note(&event);
            if let (RunEvent::Epoch(EpochReport { epoch: 1, train, .. }), Some(constant)) = (event, constant)
            {
                too_high(train, constant, config.train.learning_rate)
                    .iter()
                    .for_each(|far| reporter.warn(far));
            }
            going
        };
        let outcome = run.train(&mut watch).await;
        reporter.clear();
        match &outcome {
            Ok(()) => {
                if run.trainer().is_out_of_patience() {
                    reporter.say(&format!("stopped early: {}", out_of_patience(run.trainer())));
                }
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
            Err(Error::Device { .. } | Error::DeviceLost { .. } | Error::DeviceMemory { .. }) => {
                let folder = shell_word(&folder.display().to_string());
                note(&format!("the last checkpoint is kept; resume with: narrows train --resume {folder}"));
            }
            Err(_) => {}
        }
        outcome.and(reporter.written())
    }
}

fn out_of_patience(trainer: &Trainer) -> String {
    let patience = trainer.config().train.patience.unwrap_or_default();
    let (epoch, best) = (trainer.epochs_done(), trainer.epochs_done().saturating_sub(patience));
    format!("no epoch after {best} was better, up to {epoch} (--patience {patience}; a larger one goes on)")
}

// What always answering with the mean costs, for a run that begins.
fn held_out_constant(run: &Run, split: &Split) -> Option<f64> {
    let trainer = run.trainer();
    (trainer.epochs_done() == 0).then(|| trainer.constant().loss(split.held_out(), trainer.transform()))
}

// A place as `.` by its name.
fn named(path: &Path) -> PathBuf {
    let nameless = path.file_name().is_none();
    path.canonicalize().ok().filter(|_| nameless).unwrap_or_else(|| path.to_owned())
}

// The same place with more at the end of its name.
fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let path = &named(path);
    let name = path.file_name().map_or_else(|| "run".into(), std::ffi::OsStr::to_owned);
    path.with_file_name([name, ending.into()].into_iter().collect::<std::ffi::OsString>())
}

// Creates the folder at once, so that two runs started together do not share it.
fn next_folder(stem: &Path) -> Result<PathBuf> {
    let parent = stem.parent().unwrap_or(Path::new(""));
    if !parent.as_os_str().is_empty() {
        make_folder(parent)?;
    }
    let mut number = 1;
    loop {
        let folder = with_ending(stem, &format!("-{number:03}"));
        match std::fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::io("create", folder)(error)),
        }
    }
}
