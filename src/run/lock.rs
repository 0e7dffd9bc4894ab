//! A run's folder in the hands of one process.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind::NotFound;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use web_time::{SystemTime, UNIX_EPOCH};

use super::kept::check_run;
use super::saving::is_full;
use crate::data::written::{Hold, hold};
use crate::{Error, Result};

const LOCK: &str = "run.lock";
// Bytes of it that are read: a file of ours has fewer.
const MOST: u64 = 4096;

/// The right to write a run: one process at a time has it, until this is dropped or the process ends, however it does.
/// Who has it is written in the folder, in `run.lock`.
#[derive(Debug)]
pub struct RunLock {
    path: PathBuf,
    remark: Option<String>,
    _file: File,
}

// Who holds a run, as the file says.
#[derive(Serialize, Deserialize)]
struct Holder {
    process: u32,
    host: String,
    // Seconds since 1970.
    began: u64,
}

impl Holder {
    // None where nobody says, or where the system lets nobody read what another holds.
    fn read(file: &mut File) -> Option<Self> {
        let mut text = Vec::new();
        file.take(MOST).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    // This process in place of what is there.
    fn write(file: &mut File) -> std::io::Result<Vec<u8>> {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let text = serde_json::to_vec(&Self { process: std::process::id(), host, began: now() })?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)?;
        Ok(text)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = now().saturating_sub(self.began) / 60;
        let ago = match minutes {
            0 => "less than a minute".to_owned(),
            1..60 => format!("{minutes} min"),
            _ => format!("{} h {} min", minutes / 60, minutes % 60),
        };
        write!(f, "process {} on {}, which began {ago} ago", self.process, self.host)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

impl RunLock {
    /// Takes the run in `folder`, to resume it.
    ///
    /// # Errors
    /// As [`RunLock::take`]; [`Error::File`] where the folder holds no run, which leaves it as it is.
    pub fn of_run(folder: &Path) -> Result<Self> {
        check_run(folder)?;
        Self::take(folder)
    }

    /// Takes a folder for a run.
    ///
    /// # Errors
    /// [`Error::File`] that names the process which has it; [`Error::Io`] where nothing can be written there.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(LOCK);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        loop {
            let mut file = options.open(&path).map_err(Error::io("create", &path))?;
            let held = hold(&file);
            let holder = Holder::read(&mut file);
            if held == Hold::Others {
                return Err(refuse(folder, holder));
            }
            let own = match Holder::write(&mut file) {
                // The lock is the system's: on a full disk the name of its holder is wanting.
                Err(error) if is_full(&error) => Vec::new(),
                own => own.map_err(Error::io("write", &path))?,
            };
            // The one before removes its file, perhaps after this process has opened it.
            let there = std::fs::read(&path);
            if there.as_ref().is_ok_and(|there| *there == own) || there.is_err_and(|e| e.kind() != NotFound) {
                return Ok(Self { path, remark: remark(folder, held, holder), _file: file });
            }
        }
    }

    /// Leaves a folder in which no run could begin, and removes it where nothing else is in it.
    pub(super) fn abandon(self) {
        let folder = self.folder().to_owned();
        drop(self);
        let _ = std::fs::remove_dir(folder);
    }

    /// The run's folder.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// A remark for the user: that the process before was killed, or that there are no locks.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }
}

impl Drop for RunLock {
    // Who ends in order leaves no file.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The process that trains, or was killed while it trained, the run in a folder; None where none says so.
pub(super) fn named(folder: &Path) -> Option<String> {
    Some(Holder::read(&mut File::open(folder.join(LOCK)).ok()?)?.to_string())
}

fn refuse(folder: &Path, holder: Option<Holder>) -> Error {
    let who = holder.map_or("another process".to_owned(), |holder| holder.to_string());
    Error::File {
        path: folder.to_owned(),
        expected: "a run that no other process trains".to_owned(),
        found: format!("one that is trained by {who}. Wait for its end, or stop it: Ctrl-C saves and stops"),
    }
}

fn remark(folder: &Path, held: Hold, before: Option<Holder>) -> Option<String> {
    if held == Hold::Own {
        let gone = before?;
        return Some(format!("{gone}, had this run and was ended before it could save; going on"));
    }
    let before = before.map_or(String::new(), |holder| format!("; the last was {holder}"));
    let folder = folder.display();
    Some(format!(
        "the file system of {folder} has no locks: nothing keeps two processes from training this run at once{before}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_has_a_run_and_one_that_died_is_told_of() {
        let folder = tempfile::TempDir::new().unwrap();
        let first = RunLock::take(folder.path()).unwrap();
        assert_eq!(first.remark(), None);
        let refused = RunLock::take(folder.path()).err().unwrap().to_string();
        let by = format!("found one that is trained by process {} on ", std::process::id());
        assert!(refused.contains(&by) && refused.contains("which began less than a minute ago"), "{refused}");
        drop(first);
        let left = Holder { process: 7, host: "elsewhere".to_owned(), began: now() - 3 * 3600 - 125 };
        std::fs::write(folder.path().join(LOCK), serde_json::to_vec(&left).unwrap()).unwrap();
        let second = RunLock::take(folder.path()).unwrap();
        let told = "process 7 on elsewhere, which began 3 h 2 min ago, had this run and was ended before it could save; going on";
        assert_eq!(second.remark(), Some(told));
        drop(second);
        std::fs::write(folder.path().join(LOCK), b"\xff\0 of nobody").unwrap();
        assert_eq!(RunLock::take(folder.path()).unwrap().remark(), None);
    }
}
