//! The progress bar and the lines of a run.

use std::io::IsTerminal;

use crate::graph::TermSpec;
use crate::run::{MetricsLine, RunEvent};
use crate::train::{EpochReport, Progress, TermMeans};
use crate::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use web_time::Instant;

use super::interrupt::Interrupt;
use super::output::{line, nobody_listens, note};

/// Bar and lines of a run under way.
pub(super) struct Reporter {
    bar: ProgressBar,
    epochs: u32,
    json: bool,
    stop: Interrupt,
    /// When the first steps were done, and how many those were.
    began: Option<(Instant, u64)>,
    /// A run goes on where its lines cannot be written; this is told at the end.
    written: Result<()>,
}

impl Reporter {
    pub(super) fn new(epochs: u32, json: bool) -> Result<Self> {
        let stop = Interrupt::listen()?;
        let bar = ProgressBar::hidden();
        let style = ProgressStyle::with_template("{prefix} {bar:12} {wide_msg}")
            .map_err(|error| Error::setting("progress bar", "a template", error))?;
        bar.set_style(style);
        Ok(Self { bar, epochs, json, stop, began: None, written: Ok(()) })
    }

    /// Shows what happened; false once Ctrl-C was pressed.
    pub(super) fn note(&mut self, event: &RunEvent<'_>) -> bool {
        match event {
            RunEvent::Progress(progress) => self.progress(progress),
            RunEvent::Epoch(report) => self.epoch(report),
        }
        !self.stop.came()
    }

    /// A line for the reader: on standard output or, where that is for JSON lines alone, standard error.
    pub(super) fn say(&mut self, text: &str) {
        if self.json { self.bar.suspend(|| note(text)) } else { self.print(text) }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Whether every line could be written, or only its reader left.
    pub(super) fn written(self) -> Result<()> {
        match self.written {
            Err(error) if !nobody_listens(&error) => Err(error),
            _ => Ok(()),
        }
    }

    fn print(&mut self, text: &str) {
        let written = self.bar.suspend(|| line(text));
        if self.written.is_ok() {
            self.written = written;
        }
    }

    fn progress(&mut self, progress: &Progress) {
        if self.began.is_none() && std::io::stderr().is_terminal() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let (began, before) = *self.began.get_or_insert((Instant::now(), progress.run_step));
        self.bar.set_length(progress.steps);
        self.bar.set_position(progress.step);
        self.bar.set_prefix(format!("epoch {}/{}", progress.epoch, self.epochs));
        let steps_a_second = (progress.run_step - before) as f64 / began.elapsed().as_secs_f64().max(1e-9);
        let speed = if steps_a_second > 0.0 {
            let left = (progress.run_steps - progress.run_step) as f64 / steps_a_second;
            let images = steps_a_second * f64::from(progress.batch);
            format!("{images:.0} images/s, {} left, ", clock(left))
        } else {
            String::new()
        };
        self.bar.set_message(format!("{speed}loss {}", described(&progress.means)));
    }

    fn epoch(&mut self, report: &EpochReport) {
        if self.json {
            match MetricsLine::from(report).to_json() {
                Ok(text) => self.print(&text),
                Err(error) => self.written = Err(error),
            }
            return;
        }
        let validation = report.validation.as_ref().map(|means| format!("  validation {}", described(means)));
        self.print(&format!(
            "epoch {:>3}/{}  train {}{}  {:.0} images/s{}",
            report.epoch,
            self.epochs,
            described(&report.train),
            validation.unwrap_or_default(),
            report.images_per_second,
            if report.best { "  best" } else { "" },
        ));
    }
}

// What each update minimizes, and the terms that it is made of with their weights where those are not 1.
fn described(means: &TermMeans) -> String {
    let updates = means.updates().map(|update| {
        let terms: Vec<String> = update.iter().map(|(term, value)| of_term(term, value)).collect();
        let name = match update.iter().next() {
            Some((term, _)) if terms.len() < means.iter().count() => format!("{} ", term.update),
            _ => String::new(),
        };
        match &terms[..] {
            [term] => format!("{name}{term}"),
            _ => format!("{name}{:.2} ({})", update.total(), terms.join(" + ")),
        }
    });
    updates.collect::<Vec<_>>().join(", ")
}

fn of_term(term: &TermSpec, value: f64) -> String {
    let weight = if term.weight == 1.0 { String::new() } else { format!("{} x ", term.weight) };
    let pixel = match term.pixels {
        Some(pixels) => format!(" ({:.5} per pixel)", value / f64::from(pixels)),
        None => String::new(),
    };
    format!("{weight}{} {value:.4}{pixel}", term.name)
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.round().clamp(0.0, 359_999.0) as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
