//! The writing of a run's checkpoints: on a full disk, and while a process may die at any moment.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use super::folder::{Run, RunEvent};
use super::kept::Kept;
use super::training::Watch;
use crate::data::written::{checksum, replace, write_whole};
use crate::train::Checkpoint;
use crate::{Error, Result};

// What a failing step goes back to, while a run is in the middle of an epoch.
const GOOD: &str = "rewind-";
/// How long a run waits for room on a full disk.
pub const LONGEST_WAIT: Duration = Duration::from_secs(600);
// Between two tries; and between two looks at whether to stop.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// Whether this is the name of a state to go back to.
pub(super) fn is_good(name: &str) -> bool {
    name.starts_with(GOOD) && name.ends_with(".safetensors")
}

/// That of one checkpoint and no other, even of the same step: a process may die between writing the two.
pub(super) fn good_of(checkpoint: &Checkpoint) -> String {
    format!("{GOOD}{}-{}.safetensors", checkpoint.step(), checkpoint.rewinds())
}

impl Run {
    /// Removes those of checkpoints that are no longer the newest.
    pub(super) fn remove_good_but(&self, kept: Option<&str>) {
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_str().is_some_and(|name| is_good(name) && Some(name) != kept) {
                // One that stays is in nobody's way.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Writes one checkpoint under several names, one after the other.
    pub(super) fn save(&mut self, names: &[&str], checkpoint: &Checkpoint, watch: Watch<'_>) -> Result<()> {
        let bytes = checkpoint.to_bytes()?;
        for name in names {
            if self.save_bytes(name, &bytes, watch)? && *name == Kept::Last.file() {
                self.ended = checkpoint.ends_epoch();
            }
        }
        Ok(())
    }

    // The newest checkpoint becomes the previous one if it is of an epoch's end, so that a stop in an epoch changes nothing
    // of what an uninterrupted run keeps.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        match self.ended && name == Kept::Last.file() {
            true => replace(&path, bytes, &Kept::Previous.of(&self.folder)),
            false => write_whole(&path, bytes),
        }
    }

    /// Whether it is in the run's folder at last. A full disk may have room again: what was there stays until then.
    pub(super) fn save_bytes(&self, name: &str, bytes: &[u8], watch: Watch<'_>) -> Result<bool> {
        let path = self.folder.join(name);
        let mut waited = Duration::ZERO;
        loop {
            let Err(error) = self.write(name, bytes) else { return Ok(true) };
            if let Some(rescued) = self.rescued(name) {
                write_whole(&rescued, bytes)?;
                watch(RunEvent::Warning(&format!(
                    "{error}. The checkpoint is in {}; copy it to {} to resume from it",
                    rescued.display(),
                    path.display()
                )));
                return Ok(false);
            }
            if !matches!(&error, Error::Io { source, .. } if is_full(source)) || waited >= LONGEST_WAIT {
                return Err(error);
            }
            if waited.is_zero() {
                let minutes = LONGEST_WAIT.as_secs() / 60;
                watch(RunEvent::Warning(&format!(
                    "{error}. What was there is kept; the run waits for room, {minutes} minutes at most"
                )));
            }
            let mut left = BETWEEN_TRIES;
            while !left.is_zero() {
                if !watch(RunEvent::Waiting) {
                    return Err(error);
                }
                std::thread::sleep(BETWEEN_LOOKS);
                left = left.saturating_sub(BETWEEN_LOOKS);
            }
            waited += BETWEEN_TRIES;
        }
    }

    fn rescued(&self, name: &str) -> Option<PathBuf> {
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        let run = folder.file_name().map_or_else(String::new, |run| run.to_string_lossy().into_owned());
        // Runs of one name in several places are others.
        let place = checksum(folder.as_os_str().as_encoded_bytes());
        self.rescue.as_ref().map(|rescue| rescue.join(format!("{run}-{place:08x}-{name}")))
    }
}

/// Whether it is for want of room.
pub(super) fn is_full(error: &std::io::Error) -> bool {
    [ErrorKind::StorageFull, ErrorKind::QuotaExceeded].contains(&error.kind())
}
