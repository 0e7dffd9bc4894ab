//! The progress bar and the printed lines of a run.

use std::io::IsTerminal;
use std::time::Duration;

use crate::Result;
use crate::data::Items;
use crate::graph::TermSpec;
use crate::run::{MetricsLine, RunEvent};
use crate::train::{EpochReport, Progress, TermMeans, figure};
use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget};
use web_time::Instant;

use super::interrupt::Interrupt;
use super::output::{hidden_bar, line, note};

/// The bar and lines of a run in progress.
pub(super) struct Reporter {
    bar: ProgressBar,
    epochs: u32,
    items: Items,
    json: bool,
    stop: Interrupt,
    /// The time of the first report, and the steps done by then.
    began: Option<(Instant, u64)>,
    /// A run continues if its lines cannot be written; the error is reported at the end.
    written: Result<()>,
}

impl Reporter {
    pub(super) fn new(epochs: u32, items: Items, json: bool, stop: Interrupt) -> Result<Self> {
        let bar = hidden_bar("{prefix} {bar:12} {wide_msg}")?;
        Ok(Self { bar, epochs, items, json, stop, began: None, written: Ok(()) })
    }

    /// Shows an event; false after Ctrl-C.
    pub(super) fn note(&mut self, event: &RunEvent<'_>) -> bool {
        match event {
            RunEvent::Progress(progress) => self.progress(progress),
            RunEvent::Epoch(report) => self.epoch(report),
            RunEvent::Rewound(rewind) => self.say(&format!("rewound:  {rewind}")),
            RunEvent::Warning(text) => self.bar.suspend(|| note(&format!("warning: {text}"))),
            RunEvent::Waiting => {}
        }
        !self.stop.came()
    }

    /// A line for the reader: on standard output, or on standard error with --json.
    pub(super) fn say(&mut self, text: &str) {
        if self.json { self.bar.suspend(|| note(text)) } else { self.print(text) }
    }

    /// A warning, on standard error.
    pub(super) fn warn(&self, text: &str) {
        self.bar.suspend(|| note(&format!("warning: {text}")));
    }

    /// Removes the bar.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// The first error in writing lines.
    pub(super) fn written(self) -> Result<()> {
        self.written
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
        let steps_per_second = (progress.run_step - before) as f64 / began.elapsed().as_secs_f64().max(1e-9);
        let speed = if steps_per_second > 0.0 {
            let left = (progress.run_steps - progress.run_step) as f64 / steps_per_second;
            let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
            let images = steps_per_second * f64::from(progress.batch);
            format!("{images:.0} {}/s, {} left, ", self.items.many(), FormattedDuration(left))
        } else {
            String::new()
        };
        self.bar.set_message(format!("{speed}loss {}", described(&progress.means, self.items)));
    }

    fn epoch(&mut self, report: &EpochReport) {
        if self.json {
            match MetricsLine::from(report).to_json() {
                Ok(text) => self.print(&text),
                Err(error) => self.written = Err(error),
            }
            return;
        }
        let validation =
            report.validation.as_ref().map(|means| format!("  validation {}", described(means, self.items)));
        self.print(&format!(
            "epoch {:>3}/{}  train {}{}  {:.0} {}/s{}",
            report.epoch,
            self.epochs,
            described(&report.train, self.items),
            validation.unwrap_or_default(),
            report.images_per_second,
            self.items.many(),
            if report.best { "  best" } else { "" },
        ));
    }
}

// What each update minimizes, and the terms that it is made of with their weights where those are not 1.
fn described(means: &TermMeans, items: Items) -> String {
    let updates = means.updates().map(|update| {
        let terms: Vec<String> = update.iter().map(|(term, value)| of_term(term, value, items)).collect();
        let name = match update.iter().next() {
            Some((term, _)) if terms.len() < means.iter().count() => format!("{} ", term.update),
            _ => String::new(),
        };
        match &terms[..] {
            [term] => format!("{name}{term}"),
            _ => format!("{name}{} ({})", figure(update.total(), 2), terms.join(" + ")),
        }
    });
    updates.collect::<Vec<_>>().join(", ")
}

fn of_term(term: &TermSpec, value: f64, items: Items) -> String {
    let weight = if term.weight == 1.0 { String::new() } else { format!("{} x ", term.weight) };
    let pixel = match term.pixels {
        Some(pixels) => format!(" ({} per {})", figure(value / f64::from(pixels), 5), items.number()),
        None => String::new(),
    };
    format!("{weight}{} {}{pixel}", term.name, figure(value, 4))
}
