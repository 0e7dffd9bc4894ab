//! The flag `--kernels`, and the file in the user's cache folder that keeps what `narrows bench --choose` measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};

use super::output::note;
use crate::data::written::write_whole;
use crate::gpu::{Kernels, Measured};
use crate::{Error, Result};

// Instead of the user's cache folder.
const FOLDER: &str = "NARROWS_CACHE";
const FILE: &str = "kernels.txt";

/// Where measured kernels are to be kept.
pub(super) fn path_for_choices() -> Result<PathBuf> {
    measured_path()
        .ok_or_else(|| Error::setting(FOLDER, "a folder for what was measured", "none, and no home folder"))
}

/// Replaces the file as a whole.
pub(super) fn keep(path: &Path, measured: &Measured) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("make the folder", folder))?;
    }
    write_whole(path, measured.to_string().as_bytes())
}

// None where there is no folder for it.
fn measured_path() -> Option<PathBuf> {
    let given = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()).map(PathBuf::from);
    given
        .or_else(|| Some(choose_base_strategy().ok()?.cache_dir().join("narrows")))
        .map(|folder| folder.join(FILE))
}

/// What was measured so far. A file that cannot be read or understood is as good as none, which is said.
pub(super) fn measured() -> Measured {
    let Some(path) = measured_path() else { return Measured::default() };
    let read = match std::fs::read_to_string(&path) {
        Ok(text) => text.parse().map_err(|error: Error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Measured::default()),
        Err(error) => Err(error.to_string()),
    };
    read.unwrap_or_else(|reason| {
        note(&format!(
            "warning: {} is ignored: {reason}. `narrows bench --choose` writes it anew",
            path.display()
        ));
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
