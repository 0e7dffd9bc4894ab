//! The checkpoints that a run keeps, and which of them a command gets.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::missing::{holds_run, no_model, no_run};
use crate::data::shell_word;
use crate::data::written::LAST;
use crate::model::Registry;
use crate::train::Checkpoint;
use crate::{Error, Result};

/// A checkpoint of a run's folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Of the epoch that ranked best: `best.safetensors`.
    Best,
    /// The newest, which the run resumes from: `last.safetensors`.
    Last,
    /// Of the epoch before the newest: `previous.safetensors`.
    Previous,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Best, Self::Last, Self::Previous];

    /// The file's name.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Best => "best.safetensors",
            Self::Last => LAST,
            Self::Previous => "previous.safetensors",
        }
    }

    /// Its place in a run's folder.
    pub fn of(self, folder: &Path) -> PathBuf {
        folder.join(self.file())
    }

    /// Its name on the command line: what stands before the ending.
    pub fn name(self) -> &'static str {
        self.file().trim_end_matches(".safetensors")
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A checkpoint that was looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// That it is another than what is taken as a rule, and why; None where it is that.
    pub remark: Option<String>,
}

// What it is looked for to do, and how another one is asked for.
#[derive(Clone, Copy, PartialEq)]
enum Purpose {
    Resume,
    Report,
    Use,
}

impl Checkpoint {
    /// The checkpoint at `path` or, where that is a run's folder, the one that is asked for, by default its best.
    ///
    /// # Errors
    /// [`Error::File`] for a checkpoint of no finished epoch; for one that is missing or damaged, with those of the run
    /// that are whole, and for a place that is neither run nor checkpoint, with runs near it; [`Error::Setting`] if one is asked for and `path` is a file.
    pub fn find(registry: &Registry, path: &Path, from: Option<Kept>) -> Result<Found> {
        if path.is_dir() {
            return in_run(registry, path, Purpose::Use, from);
        }
        if let Some(from) = from {
            let got = format!("--from {from} with the file {}", path.display());
            return Err(Error::setting("--from", "a run's folder with it, or no such flag with a file", got));
        }
        let is_named_so = path.extension().is_some_and(|ending| ending == "safetensors");
        let checkpoint = match Self::load_of(registry, path) {
            Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Err(no_model(path));
            }
            Err(Error::File { .. }) if !is_named_so => return Err(no_model(path)),
            outcome => outcome?,
        };
        let run = path.parent().filter(|run| !run.as_os_str().is_empty()).unwrap_or(Path::new("."));
        finished(Found { checkpoint, remark: None }, run)
    }

    /// The checkpoint that the run in `folder` resumes from, by default the newest.
    ///
    /// # Errors
    /// As [`Checkpoint::find`], except that no epoch need be finished.
    pub fn find_to_resume(registry: &Registry, folder: &Path, from: Option<Kept>) -> Result<Found> {
        in_run(registry, folder, Purpose::Resume, from)
    }

    /// The checkpoint for a report of the run in `folder`, by default the newest.
    ///
    /// # Errors
    /// As [`Checkpoint::find`].
    pub fn find_to_report(registry: &Registry, folder: &Path, from: Option<Kept>) -> Result<Found> {
        in_run(registry, folder, Purpose::Report, from)
    }

    /// The newest checkpoint of the run in `folder`.
    ///
    /// # Errors
    /// As [`Checkpoint::find_to_resume`].
    pub fn last(registry: &Registry, folder: &Path) -> Result<Self> {
        Ok(Self::find_to_resume(registry, folder, None)?.checkpoint)
    }
}

fn in_run(registry: &Registry, folder: &Path, purpose: Purpose, from: Option<Kept>) -> Result<Found> {
    let file = |kept: Kept| kept.of(folder);
    let order = match purpose {
        Purpose::Use => [Kept::Best, Kept::Last, Kept::Previous],
        Purpose::Resume | Purpose::Report => [Kept::Last, Kept::Previous, Kept::Best],
    };
    // Only in place of one that is missing: damage is always told of.
    let first =
        order[..if purpose == Purpose::Use { 3 } else { 2 }].iter().find(|kept| file(**kept).exists());
    let Some(kept) = from.or(first.copied()) else { return Err(no_run(folder)) };
    let checkpoint = match Checkpoint::load_of(registry, file(kept)) {
        Err(Error::File { path, expected, found }) => {
            let others = whole(registry, folder, purpose, kept);
            return Err(Error::File { path, expected, found: format!("{found}. {others}") });
        }
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            let others = whole(registry, folder, purpose, kept);
            let expected = format!("a run's folder, with {}", kept.file());
            return Err(Error::File { path: folder.to_owned(), expected, found: format!("none. {others}") });
        }
        outcome => outcome?,
    };
    let missing = from.is_none() && kept != order[0];
    let remark = missing.then(|| {
        let (missing, epoch) = (order[0].file(), checkpoint.epoch());
        format!("{} has no {missing}; {}, of epoch {epoch}, takes its place", folder.display(), kept.file())
    });
    let found = Found { checkpoint, remark };
    if purpose == Purpose::Resume { Ok(found) } else { finished(found, folder) }
}

/// Refuses a place where no run is.
pub(super) fn check_run(folder: &Path) -> Result<()> {
    if holds_run(folder) { Ok(()) } else { Err(no_run(folder)) }
}

// Before the first epoch's end nothing is trained that could be relied on.
fn finished(found: Found, run: &Path) -> Result<Found> {
    if found.checkpoint.epoch() > 0 {
        return Ok(found);
    }
    let resume = shell_word(&run.display().to_string());
    Err(Error::File {
        path: run.to_owned(),
        expected: "a trained model".to_owned(),
        found: format!("that this run has no finished epoch. Train it with: narrows train --resume {resume}"),
    })
}

// The other checkpoints that are whole, the one with most steps first, and how they are asked for.
fn whole(registry: &Registry, folder: &Path, purpose: Purpose, damaged: Kept) -> String {
    let run = shell_word(&folder.display().to_string());
    let others = Kept::ALL.into_iter().filter(|kept| *kept != damaged);
    let loaded = others.filter_map(|kept| Some((kept, Checkpoint::load_of(registry, kept.of(folder)).ok()?)));
    let mut loaded: Vec<_> = loaded.filter(|(_, at)| purpose == Purpose::Resume || at.epoch() > 0).collect();
    loaded.sort_by_key(|(_, checkpoint)| std::cmp::Reverse(checkpoint.step()));
    let ways = loaded.iter().map(|(kept, checkpoint)| {
        let way = match purpose {
            Purpose::Resume => format!("narrows train --resume {run} --from {kept}"),
            Purpose::Report => format!("--from {kept}"),
            Purpose::Use => {
                format!("--from {kept}, or {} as the run", shell_word(&kept.of(folder).display().to_string()))
            }
        };
        format!("{} is whole, of epoch {}: {way}", kept.file(), checkpoint.epoch())
    });
    let ways: Vec<String> = ways.collect();
    if ways.is_empty() {
        return format!(
            "No other checkpoint of the run is whole; train it anew: narrows train --config {run}/config.toml"
        );
    }
    ways.join("; ")
}
