//! Folders for results, made where they are missing.

use std::path::Path;

use crate::{Error, Result};

/// Refuses a place for a folder where a file is, or below one. It need not exist.
///
/// # Errors
/// [`Error::File`] naming the file.
pub fn check_folder(folder: &Path) -> Result<()> {
    match folder.ancestors().find(|place| place.exists()) {
        Some(place) if !place.is_dir() => Err(Error::File {
            path: place.to_owned(),
            expected: "a folder, or nothing of that name".to_owned(),
            found: "a file".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Makes a folder, and those that it is in, where they are missing.
///
/// # Errors
/// [`Error::File`] where a file has such a name; [`Error::Io`].
pub fn make_folder(folder: &Path) -> Result<()> {
    check_folder(folder)?;
    std::fs::create_dir_all(folder).map_err(Error::io("create", folder))
}
