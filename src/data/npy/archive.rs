//! NumPy's `.npz` archives: ZIP files of arrays, stored or deflated.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use npyz::npz::array_name_from_file_name;
use zip::ZipArchive;

use super::array::Array;
use crate::data::origin::{Origin, open};
use crate::{Error, Result};

// The most bytes that a deflated one can stand for (zlib's documentation).
const LARGEST_RATIO: u64 = 1032;

/// An archive, and the names of its arrays in their order.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    length: u64,
    pub(super) names: Vec<String>,
}

/// Whether the ending is that of an archive.
pub(in crate::data) fn is_named_as_archive(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npz"))
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, length) = open(path, "a .npz archive")?;
        let wrong = |found: String| Origin::File(path).wrong("a .npz archive, as np.savez writes it", found);
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|error| wrong(error.to_string()))?;
        let files =
            zip.file_names().filter_map(|file| Some(array_name_from_file_name(&file.ok()?)?.to_owned()));
        let names: Vec<String> = files.collect();
        if names.is_empty() {
            return Err(wrong("no array in it".to_owned()));
        }
        Ok(Self { path: path.to_owned(), zip, length, names })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Calls `see` with the array of this name. Its errors name it behind the archive, as a file in a folder.
    pub(super) fn array<T>(
        &mut self,
        name: &str,
        see: impl FnOnce(Array<'_, &mut dyn Read>) -> Result<T>,
    ) -> Result<T> {
        let file = format!("{name}.npy");
        let path = self.path.join(&file);
        let origin = Origin::File(&path);
        let mut entry =
            self.zip.by_name(&file).map_err(|error| origin.wrong("a readable array", error.to_string()))?;
        let (packed, size) = (entry.compressed_size(), entry.size());
        if packed > self.length || size > packed.saturating_mul(LARGEST_RATIO) {
            return Err(origin.wrong("a size that its archive can hold", format!("{size} bytes of {packed}")));
        }
        see(Array::new(&mut entry as &mut dyn Read, size, origin)?)
    }

    /// The error for an array that is not there.
    pub(super) fn without(&self, setting: &str, name: &str) -> Error {
        Error::setting(setting, format!("one of {}", self.names.join(", ")), name)
    }
}
