//! The progress bar and the lines of a run.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use narrows::model::{Model, Penalty, ReductionKind};
use narrows::train::{EpochReport, Losses, Progress, RunEvent, json_line};
use narrows::{Error, Result};
use web_time::Instant;

use super::interrupt::Interrupt;
use super::output::{line, nobody_listens, note};

/// Bar and lines of a run under way.
pub(super) struct Reporter {
    bar: ProgressBar,
    model: Model,
    epochs: u32,
    json: bool,
    stop: Interrupt,
    /// When the first steps were done, and how many those were.
    began: Option<(Instant, u64)>,
    /// A run goes on where its lines cannot be written; this is told at the end.
    written: Result<()>,
}

impl Reporter {
    pub(super) fn new(model: &Model, epochs: u32, json: bool) -> Result<Self> {
        let stop = Interrupt::listen()?;
        let bar = ProgressBar::hidden();
        let style = ProgressStyle::with_template("{prefix} {bar:12} {wide_msg}")
            .map_err(|error| Error::setting("progress bar", "a template", error))?;
        bar.set_style(style);
        Ok(Self { bar, model: model.clone(), epochs, json, stop, began: None, written: Ok(()) })
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
        let loss = progress.losses.objective(&self.model);
        let penalty = self.model.penalty().map(|p| format!(" ({} {:.2})", p.name, progress.losses.penalty));
        self.bar.set_message(format!("{speed}loss {loss:.2}{}", penalty.unwrap_or_default()));
    }

    fn epoch(&mut self, report: &EpochReport) {
        if self.json {
            match json_line(report, &self.model) {
                Ok(text) => self.print(&text),
                Err(error) => self.written = Err(error),
            }
            return;
        }
        let validation = report.validation.map(|losses| format!("  validation {}", self.losses(&losses)));
        self.print(&format!(
            "epoch {:>3}/{}  train {}{}  {:.0} images/s{}",
            report.epoch,
            self.epochs,
            self.losses(&report.train),
            validation.unwrap_or_default(),
            report.images_per_second,
            if report.best { "  best" } else { "" },
        ));
    }

    fn losses(&self, losses: &Losses) -> String {
        let Losses { reconstruction, penalty } = losses;
        let per_pixel = reconstruction / f64::from(self.model.pixels());
        let Some(Penalty { name, .. }) = self.model.penalty() else {
            return format!("{reconstruction:.4} ({per_pixel:.5} per pixel)");
        };
        let total = losses.objective(&self.model);
        let weight = self.model.penalty_weight_per_image() as f32;
        let weight = if weight == 1.0 { String::new() } else { format!("{weight} x ") };
        let pixel = match self.model.config().reduction {
            ReductionKind::Image => String::new(),
            ReductionKind::Pixel => format!(", {per_pixel:.5} per pixel"),
        };
        format!("{total:.2} (reconstruction {reconstruction:.2}{pixel} + {weight}{name} {penalty:.2})")
    }
}

fn clock(seconds: f64) -> String {
    let seconds = seconds.round().clamp(0.0, 359_999.0) as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("{minutes}:{seconds:02}"),
        (hours, minutes, seconds) => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}
