//! The epochs of a run: each is trained, saved and shown.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use super::folder::{Run, RunEvent, checkpoint_of_epoch};
use super::kept::Kept;
use super::metrics::{METRICS, MetricsLine};
use super::place::make_folder;
use super::saving::good_of;
use crate::data::shell_word;
use crate::model::Registry;
use crate::train::{Checkpoint, EpochReport, OnNan, Reached, Trainer};
use crate::{Error, Result};

/// Who sees the events of a run, and says whether it goes on.
pub(super) type Watch<'a> = &'a mut dyn FnMut(RunEvent<'_>) -> bool;

/// Gives a resumed trainer the state that a failing step goes back to, where the run that was stopped left it; a remark
/// where it should be there and is not, or is damaged.
pub(super) fn take_good(folder: &Path, trainer: &mut Trainer, checkpoint: &Checkpoint) -> Option<String> {
    if trainer.config().train.on_nan != OnNan::Rewind || checkpoint.ends_epoch() {
        return None;
    }
    let registry = Registry::of(&trainer.config().model.variant);
    match Checkpoint::load_of(&registry, folder.join(good_of(checkpoint))) {
        Ok(good) => {
            trainer.set_good(good, checkpoint);
            None
        }
        Err(error) => {
            Some(format!("{error}; a step that is not finite goes back to where the run resumes instead"))
        }
    }
}

impl Run {
    /// Checkpoints that the run's folder does not take go to this one, which is made where it is missing.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be made.
    pub fn rescue_in(&mut self, folder: &Path) -> Result<()> {
        make_folder(folder)?;
        self.rescue = Some(folder.to_owned());
        Ok(())
    }

    /// Trains to the last epoch, or until `patience` is at its end. `watch` sees each event and returns whether to
    /// continue; if not, the run is saved and ends with [`Error::Stopped`].
    ///
    /// # Errors
    /// [`Error::File`] where the folder has no room for the checkpoints to come, before any step; [`Error::NotFinite`] with
    /// the step, the last good checkpoint being kept; [`Error::Io`] for what could not be written,
    /// on a full disk after [`LONGEST_WAIT`](super::LONGEST_WAIT).
    pub async fn train(&mut self, watch: Watch<'_>) -> Result<()> {
        if !self.trainer.is_done() {
            self.check_room()?;
        }
        while !self.trainer.is_done() {
            match self.train_on(watch).await {
                Err(Error::NotFinite { what, step, value, advice, .. }) => {
                    let kept = self.kept(step);
                    return Err(Error::NotFinite { what, step, value, advice, kept });
                }
                outcome => outcome?,
            }
        }
        self.write_metrics().inspect_err(|_| {
            let lines = self.unwritten.len();
            watch(RunEvent::Warning(&format!(
                "all epochs are done; {lines} lines of metrics are in the last checkpoint alone. With room in {0}, and that \
                 checkpoint there, narrows train --resume {0} writes them",
                shell_word(&self.folder.display().to_string())
            )));
        })
    }

    // A checkpoint is written beside the one that it replaces, and the best and the previous are others.
    fn check_room(&self) -> Result<()> {
        let size = Kept::Last.of(&self.folder).metadata().map_or(0, |metadata| metadata.len());
        let more = 3 + u64::from(self.trainer.config().train.keep.unwrap_or(0));
        let needed = size.saturating_mul(more);
        // A file system that does not say how much room it has is tried.
        match fs4::available_space(&self.folder) {
            Ok(free) if free < needed && self.rescue.is_none() => Err(Error::File {
                path: self.folder.clone(),
                expected: format!("room for {more} more checkpoints, {} MB", megabytes(needed)),
                found: format!(
                    "{} MB free. Free some, or name a place for those: narrows train --resume {} --rescue FOLDER",
                    megabytes(free),
                    shell_word(&self.folder.display().to_string())
                ),
            }),
            _ => Ok(()),
        }
    }

    // What the folder holds after a failure at `step`.
    fn kept(&self, step: u64) -> String {
        let folder = self.folder.display();
        let epoch = self.trainer.epochs_done();
        let first = self.trainer.config().train.save_every.is_none_or(|every| step <= u64::from(every));
        match epoch {
            0 if first => format!(". The run's first state is kept in {folder}: no epoch is finished"),
            0 => format!(". The last good state, in the first epoch, is kept in {folder}"),
            _ => format!(". The last good state, after epoch {epoch}, is kept in {folder}"),
        }
    }

    async fn train_on(&mut self, watch: Watch<'_>) -> Result<()> {
        let going = match self.trainer.train_on(&mut |progress| watch(RunEvent::Progress(progress))).await {
            Err(Error::Stopped) => false,
            Err(error) => return Err(error),
            Ok(Reached::Save) => {
                let checkpoint = self.unfinished().await?;
                self.save_with_good(&checkpoint, watch)?;
                true
            }
            Ok(Reached::Rewound(rewind)) => watch(RunEvent::Rewound(&rewind)),
            Ok(Reached::Epoch(report)) => {
                self.save_epoch(&report, watch).await?;
                // What is done needs no second saving.
                return match watch(RunEvent::Epoch(&report)) || self.trainer.is_done() {
                    true => Ok(()),
                    false => Err(Error::Stopped),
                };
            }
        };
        if going { Ok(()) } else { self.stop(watch).await }
    }

    // The state in the middle of an epoch.
    async fn unfinished(&self) -> Result<Checkpoint> {
        let mut checkpoint = self.trainer.checkpoint().await?;
        checkpoint.metrics = self.unwritten.iter().map(MetricsLine::to_json).collect::<Result<_>>()?;
        Ok(checkpoint)
    }

    // Saves where a run was stopped. Who asked for that waits for room on the disk too.
    async fn stop(&mut self, watch: Watch<'_>) -> Result<()> {
        let checkpoint = match (self.unfinished().await, self.trainer.good()) {
            (Err(Error::NotFinite { .. }), Some(good)) => good.clone(),
            (checkpoint, _) => checkpoint?,
        };
        let mut wait = |event: RunEvent<'_>| {
            watch(event);
            true
        };
        self.save_with_good(&checkpoint, &mut wait)?;
        Err(Error::Stopped)
    }

    // In the middle of an epoch, with the state that a failing step would go back to.
    fn save_with_good(&mut self, checkpoint: &Checkpoint, watch: Watch<'_>) -> Result<()> {
        let good = good_of(checkpoint);
        if let Some(state) = self.trainer.good() {
            self.save_bytes(&good, &state.to_bytes()?, watch)?;
        }
        self.save(&[Kept::Last.file()], checkpoint, watch)?;
        self.remove_good_but(Some(&good));
        Ok(())
    }

    // The checkpoint comes first: what fails behind it costs no training.
    async fn save_epoch(&mut self, report: &EpochReport, watch: Watch<'_>) -> Result<()> {
        self.unwritten.push(report.into());
        let timeless = |line: &MetricsLine| line.without_times().to_json();
        let mut checkpoint = self.trainer.checkpoint().await?;
        checkpoint.metrics = self.unwritten.iter().map(timeless).collect::<Result<_>>()?;
        let keep = self.trainer.config().train.keep;
        let numbered = checkpoint_of_epoch(report.epoch);
        let also = [report.best.then_some(Kept::Best.file()), keep.map(|_| numbered.as_str())];
        // The one to resume from is written last: a run that is interrupted before it repeats the epoch.
        let names: Vec<&str> = also.into_iter().flatten().chain([Kept::Last.file()]).collect();
        self.save(&names, &checkpoint, watch)?;
        // The end of an epoch is good itself.
        self.remove_good_but(None);
        if let Some(old) = keep.and_then(|keep| report.epoch.checked_sub(keep)).filter(|old| *old > 0) {
            // One that is not there, as before a fork, needs no removal.
            let _ = std::fs::remove_file(self.folder.join(checkpoint_of_epoch(old)));
        }
        if let Err(error) = self.write_metrics() {
            let later = format!(
                "{error}. The epoch's line of metrics is kept in the checkpoint, to be written later"
            );
            watch(RunEvent::Warning(&later));
        }
        if let Some(warning) = self.draw(report.epoch).await? {
            watch(RunEvent::Warning(&warning));
        }
        Ok(())
    }

    fn write_metrics(&mut self) -> Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(METRICS);
        let lines: String = self
            .unwritten
            .iter()
            .map(MetricsLine::to_json)
            .map(|line| Ok(line? + "\n"))
            .collect::<Result<_>>()?;
        let open = OpenOptions::new().create(true).append(true).open(&path);
        let mut file = open.map_err(Error::io("write", &path))?;
        let before = file.metadata().map(|metadata| metadata.len());
        if let Err(error) = file.write_all(lines.as_bytes()) {
            // Half a line would spoil the next one.
            if let Ok(length) = before {
                let _ = file.set_len(length);
            }
            return Err(Error::io("write", &path)(error));
        }
        self.unwritten.clear();
        Ok(())
    }
}

// Rounded up, with one digit.
fn megabytes(bytes: u64) -> f64 {
    bytes.div_ceil(100_000) as f64 / 10.0
}
