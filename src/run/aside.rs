//! What is in a run's folder and not of the run: moved out of the way, never deleted.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::kept::Kept;
use super::saving::is_good;
use crate::data::written::{METRICS, SPLIT};
use crate::{Error, Result};

/// Moves these files of a run's folder to a new folder `aside-N` in it, and returns that.
pub(super) fn set_aside(folder: &Path, names: &[String]) -> Result<PathBuf> {
    let mut number = 1;
    let aside = loop {
        let aside = folder.join(format!("aside-{number}"));
        match std::fs::create_dir(&aside) {
            Ok(()) => break aside,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(Error::io("create", aside)(error)),
        }
    };
    for name in names {
        let from = folder.join(name);
        std::fs::rename(&from, aside.join(name)).map_err(Error::io("move", from))?;
    }
    Ok(aside)
}

/// The files in a folder that a run without checkpoint and configuration left there.
pub(super) fn left_over(folder: &Path) -> Result<Vec<String>> {
    let of_a_run = |name: &String| {
        let picture = ["-reconstructions.png", "-samples.png"].iter().any(|end| name.ends_with(end));
        let kept = Kept::ALL.iter().any(|kept| kept.file() == name);
        kept || [METRICS, SPLIT, "report.html"].contains(&name.as_str())
            || is_good(name)
            || name.starts_with("epoch-") && (picture || name.ends_with(".safetensors"))
    };
    let entries = std::fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(of_a_run).collect();
    names.sort();
    Ok(names)
}
