//! Checkpoints and configurations as files, each written whole or not at all.

use std::path::Path;

use crate::data::DrawnParts;
use crate::data::written::write_whole;
use crate::model::Registry;
use crate::train::{Checkpoint, Config};
use crate::{Error, Result};

pub(super) use crate::data::written::LAST;
/// The checkpoint of the epoch that ranked best.
pub(super) const BEST: &str = "best.safetensors";
/// The parts that were drawn.
const SPLIT: &str = "split.csv";

// A refusal of bytes as one of the file that holds them.
fn of_file(path: &Path) -> impl FnOnce(Error) -> Error {
    move |error| match error {
        Error::Bytes { expected, found, .. } => Error::File { path: path.to_owned(), expected, found },
        other => other,
    }
}

impl Checkpoint {
    /// Writes the file whole or not at all: beside its place first, then moved there.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        write_whole(path, &self.to_bytes().map_err(of_file(path))?)
    }

    /// Reads a checkpoint of a built-in variant.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] naming what is missing or damaged.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_of(&Registry::built_in(), path)
    }

    /// Reads a checkpoint of a variant of the registry.
    pub fn load_of(registry: &Registry, path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        Self::from_bytes_of(registry, &bytes).map_err(of_file(path))
    }

    /// Reads the checkpoint at `path` or, where that is a run's folder, its best one.
    pub fn find(registry: &Registry, path: &Path) -> Result<Self> {
        if !path.is_dir() {
            return Self::load_of(registry, path);
        }
        let best = path.join(BEST);
        if best.exists() { Self::load_of(registry, &best) } else { Self::last(registry, path) }
    }

    /// Reads the checkpoint that the run in `folder` resumes from.
    ///
    /// # Errors
    /// [`Error::File`] where the folder holds none, and as [`Checkpoint::load`].
    pub fn last(registry: &Registry, folder: &Path) -> Result<Self> {
        let last = folder.join(LAST);
        if !last.exists() {
            let expected = format!("a run's folder, with {LAST}");
            let found = if folder.is_dir() { "a folder without it" } else { "no such folder" };
            return Err(Error::File { path: folder.to_owned(), expected, found: found.to_owned() });
        }
        Self::load_of(registry, &last)
    }
}

impl DrawnParts {
    /// Writes them to a run's folder.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub fn save(&self, folder: &Path) -> Result<()> {
        write_whole(&folder.join(SPLIT), &self.to_csv()?)
    }

    /// Those of the run that a checkpoint, or a run's folder, belongs to; None where its parts came with the data.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for a damaged record.
    pub fn find(run: &Path) -> Result<Option<Self>> {
        let folder = if run.is_dir() { run } else { run.parent().unwrap_or(Path::new("")) };
        let path = folder.join(SPLIT);
        match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            bytes => {
                Self::from_csv(&bytes.map_err(Error::io("read", &path))?).map(Some).map_err(of_file(&path))
            }
        }
    }
}

impl Config {
    /// Reads a TOML file, as [`Config::from_toml`].
    ///
    /// # Errors
    /// [`Error::Io`], and as [`Config::from_toml`], with the file's name.
    pub fn load(registry: &Registry, path: &Path, default: &str) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read", path))?;
        Self::from_toml(registry, &text, default, &path.display().to_string())
    }
}
