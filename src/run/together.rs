//! Files that belong together, such as those of an export.

use std::io::Write;
use std::path::Path;

use crate::data::written::{beside, put, target};
use crate::{Error, Result};

/// Writes files to a folder, which is made where it is missing: all of them, or none. Those that were there are replaced.
///
/// # Errors
/// [`Error::Io`] naming the file; [`Error::File`] where something else than a file has its name.
pub fn save_together(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    let is_new = !folder.exists();
    if is_new {
        std::fs::create_dir(folder).map_err(Error::io("create", folder))?;
    }
    let saved = saved(folder, files);
    if is_new && saved.is_err() {
        // One that is not empty is in nobody's way.
        let _ = std::fs::remove_dir(folder);
    }
    saved
}

fn saved(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    let mut under_way = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        let target = target(&path);
        if target.exists() && !target.is_file() {
            let (expected, found) =
                ("a file, or nothing of that name".to_owned(), "something else".to_owned());
            return Err(Error::File { path, expected, found });
        }
        let mut file = beside(&target)?;
        file.write_all(bytes).map_err(Error::io("write", &path))?;
        file.as_file().sync_all().map_err(Error::io("write", &path))?;
        under_way.push((file, target));
    }
    // All of them are on the disk.
    under_way.into_iter().try_for_each(|(file, target)| put(file, &target))
}
