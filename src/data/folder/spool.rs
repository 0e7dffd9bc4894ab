//! Decoded pictures, piece by piece: in memory or, where they may be larger than that, in a file without a name.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use bytemuck::{AnyBitPattern, NoUninit};

use crate::data::numbers::{Numbers, map};
use crate::{Error, Result};

/// A list of numbers that grows at its end.
pub(super) enum Spool<T> {
    /// In memory.
    Memory(Vec<T>),
    /// In a file of this folder, which is gone when nobody reads it any more.
    File(File, PathBuf),
}

impl<T: AnyBitPattern + NoUninit> Spool<T> {
    /// In a file of `folder`, or in memory.
    ///
    /// # Errors
    /// [`Error::Io`] where the folder takes no file.
    pub(super) fn new(folder: Option<&Path>) -> Result<Self> {
        let Some(folder) = folder else { return Ok(Self::Memory(Vec::new())) };
        let file = tempfile::tempfile_in(folder).map_err(Error::io("create a file in", folder))?;
        Ok(Self::File(file, folder.to_owned()))
    }

    /// Adds numbers.
    ///
    /// # Errors
    /// [`Error::Io`] where the disk is full, [`Error::Memory`] where the system gives no more.
    pub(super) fn push(&mut self, numbers: &[T]) -> Result<()> {
        match self {
            Self::Memory(all) => {
                let needed = (size_of_val(all.as_slice()) + size_of_val(numbers)) as u64;
                let advice = "Give a smaller --size, a folder with fewer pictures, or --cache FOLDER";
                let lacking =
                    |_| Error::Memory { operation: "decode the pictures".to_owned(), needed, advice };
                all.try_reserve(numbers.len()).map_err(lacking)?;
                all.extend_from_slice(numbers);
            }
            Self::File(file, folder) => {
                let written = file.write_all(bytemuck::cast_slice(numbers));
                written.map_err(Error::io("write a file in", folder.as_path()))?;
            }
        }
        Ok(())
    }

    /// All numbers.
    ///
    /// # Errors
    /// [`Error::Io`] where the file cannot be mapped.
    pub(super) fn finish(self) -> Result<Numbers<T>> {
        match self {
            Self::Memory(all) => Ok(all.into()),
            Self::File(file, folder) => {
                let map = map(&file).map_err(Error::io("map a file in", folder))?;
                Ok(Numbers::mapped(&map, 0..map.len()).unwrap_or_default())
            }
        }
    }
}
