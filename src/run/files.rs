//! Checkpoints and configurations as files, each written whole or not at all.

use std::path::Path;

use crate::data::DrawnParts;
use crate::data::written::{SPLIT, write_whole};
use crate::model::Registry;
use crate::train::{Checkpoint, Config, StateDict};
use crate::{Error, Result};

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
}

impl StateDict {
    /// The state dict in a file; None where that is no safetensors file, or one of narrows.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::File`] for a damaged one.
    pub fn find(path: &Path) -> Result<Option<Self>> {
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let dict = Self::is_one(&bytes).then(|| Self::from_bytes(&bytes));
        dict.transpose().map_err(of_file(path))
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
