//! The flag `--kernels`, and the file in the user's cache folder that keeps what `narrows bench` measured.

use std::path::PathBuf;
use std::sync::Arc;

use super::output::note;
use crate::Result;
use crate::gpu::{Kernels, Measured};

// Instead of the user's cache folder.
const FOLDER: &str = "NARROWS_CACHE";
const FILE: &str = "kernels.txt";

/// Where measured kernels are kept; None where there is no folder for it.
pub(super) fn measured_path() -> Option<PathBuf> {
    let given = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    given.or_else(|| Some(dirs::cache_dir()?.join("narrows"))).map(|folder| folder.join(FILE))
}

/// What was measured so far. A file that cannot be read or understood is as good as none, which is said.
pub(super) fn measured() -> Measured {
    let Some(path) = measured_path() else { return Measured::default() };
    let read = match std::fs::read_to_string(&path) {
        Ok(text) => text.parse().map_err(|error: crate::Error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Measured::default()),
        Err(error) => Err(error.to_string()),
    };
    read.unwrap_or_else(|reason| {
        note(&format!("warning: {} is ignored: {reason}. `narrows bench` writes it anew", path.display()));
        Measured::default()
    })
}

/// What `--kernels` asks for; without it what was measured, and the rule for the rest.
pub(super) fn parse(flag: Option<&str>) -> Result<Kernels> {
    match flag {
        Some("rule") => Ok(Kernels::Rule),
        None | Some("measured") => Ok(Kernels::Measured(Arc::new(measured()))),
        Some(name) => name.parse().map(Kernels::One),
    }
}
