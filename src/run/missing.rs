//! What is said where no run is: what a place holds instead, and which runs are near it.

use std::cmp::Reverse;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::kept::Kept;
use crate::Error;
use crate::data::shell_word;
use crate::data::written::LAST;

// Runs that a message names.
const SHOWN: usize = 5;

/// Whether a folder holds a run.
pub(super) fn holds_run(folder: &Path) -> bool {
    Kept::ALL.iter().any(|kept| kept.of(folder).exists())
}

/// The refusal of a place that should be a run's folder.
pub(super) fn no_run(place: &Path) -> Error {
    match Kept::Last.of(place).metadata() {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Error::io("read", place)(error),
        _ => {}
    }
    let found = match place {
        _ if place.is_dir() => "a folder without it",
        _ if place.is_file() => "a file",
        _ => "no such folder",
    };
    refused(place, format!("a run's folder, with {LAST}"), found)
}

/// The refusal of a place that should be a run's folder or one of its checkpoints.
pub(super) fn no_model(place: &Path) -> Error {
    let found = if place.exists() { "another file" } else { "nothing of that name" };
    refused(place, "a run's folder or a checkpoint".to_owned(), found)
}

fn refused(place: &Path, mut expected: String, found: &str) -> Error {
    let parent =
        place.parent().map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
    if let Some(parent) = parent.filter(|parent| place.is_file() && holds_run(parent)) {
        expected = format!("{expected}: give {}", word(parent));
    }
    let runs = if place.is_file() { Vec::new() } else { near(place) };
    let more = if runs.len() > SHOWN { format!(" and {} more", runs.len() - SHOWN) } else { String::new() };
    let shown: Vec<String> = runs.iter().take(SHOWN).map(|run| word(run)).collect();
    let runs = if shown.is_empty() { String::new() } else { format!(". Runs: {}{more}", shown.join(", ")) };
    Error::File { path: place.to_owned(), expected, found: format!("{found}{runs}") }
}

fn word(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

// The runs in a folder, else beside it, else where runs go by default; those with the likest names first.
fn near(place: &Path) -> Vec<PathBuf> {
    let beside = place.parent().unwrap_or(Path::new(""));
    let folders = [place.to_owned(), beside.to_owned(), beside.join("runs"), PathBuf::from("runs")];
    let mut runs =
        folders.iter().map(|folder| runs_in(folder)).find(|runs| !runs.is_empty()).unwrap_or_default();
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wanted = if place.is_dir() { String::new() } else { name(place) };
    runs.sort_by_cached_key(|run| {
        let name = name(run);
        (Reverse((strsim::jaro_winkler(&wanted, &name) * 1e3) as u32), name)
    });
    runs
}

fn runs_in(folder: &Path) -> Vec<PathBuf> {
    let read = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(read).into_iter().flatten().flatten();
    entries.map(|entry| folder.join(entry.file_name())).filter(|run| holds_run(run)).collect()
}
