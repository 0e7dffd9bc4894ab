//! `narrows figures`: all figures with one command.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::figures::{Event, Figure, FigureContext, Gallery, Settings};
use crate::run::RunEvent;
use crate::train::{Config, DataConfig};
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget};
use web_time::Instant;

use super::DeviceFlags;
use super::flags::{DataFlags, DataSettings};
use super::interrupt::Interrupt;
use super::loading::loaded;
use super::output::{hidden_bar, line, note};

/// Make the figures
#[derive(clap::Args)]
#[command(after_help = after_help())]
pub(super) struct Figures {
    /// Names of the figures [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Train on the built-in sample for few epochs: all figures in 2 to 3 minutes on two CPU cores
    #[arg(long)]
    quick: bool,
    /// Output folder; its folder `runs` keeps the models for the next time
    #[arg(long, value_name = "DIR", default_value = "figures")]
    out: PathBuf,
    /// Epochs of every model [default: those of the figure]
    #[arg(long, value_name = "N", value_parser = super::whole(1..=u32::MAX))]
    epochs: Option<u32>,
    /// Seed of initial weights, order, noise and samples
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = super::seed)]
    seed: u64,
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    settled: DataSettings<true>,
}

fn after_help() -> String {
    let figures = Figure::ALL.map(|figure| format!("\n  {:16} {}", figure.name(), figure.summary()));
    format!(
        "Figures:{}\n\nExamples:\n  narrows figures --quick\n  narrows figures vae linear-vs-pca --out pictures\n  \
         narrows figures --data fashion-mnist --data-dir DIR\n\n\
         Each figure is written as NAME.png, NAME.svg and NAME.json; index.html shows all. Without --quick and\n\
         --data the models are trained on the full Fashion-MNIST. Ctrl-C saves the model in training, and the same\n\
         command resumes.",
        figures.concat()
    )
}

impl Figures {
    pub(super) async fn run(&self, device: &DeviceFlags) -> Result<()> {
        let figures = if self.names.is_empty() {
            Figure::ALL.to_vec()
        } else {
            self.names.iter().map(|name| Figure::named(name)).collect::<Result<_>>()?
        };
        let settings = self.settings()?;
        let device = device.open().await?;
        let gallery = Gallery::new(&self.out, &device.name(), &self.flags()?)?;
        let interrupt = Interrupt::listen()?;
        let bar = hidden_bar("{bar:12} {wide_msg}")?;
        if std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let mut watch = |event: Event<'_>| {
            tell(&bar, &event);
            !interrupt.came()
        };
        // A figure with its own data needs no other data set.
        let shared = figures.iter().any(|figure| !figure.has_its_own_images());
        let data = if shared { settings.data.clone() } else { DataConfig::default() };
        let split = loaded(&data)?;
        let settings = Settings { data, ..settings };
        let mut context = FigureContext::new(&device, settings, split, &gallery.runs(), &mut watch);
        let made = make(&figures, &gallery, &mut context).await;
        bar.finish_and_clear();
        if matches!(made, Err(Error::Stopped)) {
            note("stopped and saved; the same command resumes");
        }
        made
    }

    fn settings(&self) -> Result<Settings> {
        let settings = Settings::new(self.quick);
        let config = Config { data: settings.data.clone(), ..Config::preset("mlp")? };
        let config = self.settled.over(&Config { data: self.data.over(&config)?, ..config })?;
        Ok(Settings { data: config.data, epochs: self.epochs, seed: self.seed, ..settings })
    }

    // The flags that make the same figure again.
    fn flags(&self) -> Result<String> {
        let quick = if self.quick { " --quick" } else { "" };
        let epochs = self.epochs.map(|epochs| format!(" --epochs {epochs}")).unwrap_or_default();
        let seed = if self.seed == 0 { String::new() } else { format!(" --seed {}", self.seed) };
        Ok(format!("{quick}{epochs}{seed}{}{}", self.data.typed(), self.settled.typed()))
    }
}

async fn make(figures: &[Figure], gallery: &Gallery, context: &mut FigureContext<'_>) -> Result<()> {
    for figure in figures {
        let began = Instant::now();
        let output = figure.make(context).await?;
        let seconds = began.elapsed().as_secs_f64();
        let place = gallery.save(*figure, &output, seconds)?;
        line(&format!("{:16} {seconds:6.1} s  {}", figure.name(), place.display()))?;
    }
    Ok(())
}

fn tell(bar: &ProgressBar, event: &Event<'_>) {
    let say = |text: String| bar.suspend(|| note(&text));
    match event {
        Event::Training(name, epochs) => say(format!("{name}: training for {epochs} epochs")),
        Event::Reused(name, folder) => say(format!("{name}: trained before, in {}", folder.display())),
        Event::Run(name, RunEvent::Progress(progress)) => {
            bar.set_length(progress.steps);
            bar.set_position(progress.step);
            bar.set_message(format!("{name}, epoch {}", progress.epoch));
        }
        Event::Run(name, RunEvent::Epoch(report)) => {
            let means = report.validation.as_ref().unwrap_or(&report.train);
            let reconstruction = means.reconstruction().map_or(f64::NAN, |(_, value)| value);
            let (epoch, seconds) = (report.epoch, report.seconds);
            say(format!(
                "{name}: epoch {epoch} in {seconds:.1} s, reconstruction {reconstruction:.4} per image"
            ));
        }
        Event::Run(name, RunEvent::Rewound(rewind)) => say(format!("{name}: {rewind}")),
        Event::Run(_, RunEvent::Warning(text)) => say(format!("warning: {text}")),
        Event::Run(_, RunEvent::Waiting) => {}
        Event::Busy(what) => say((*what).to_owned()),
    }
}
