//! How narrows writes files, whole or not at all; and what it writes, by which a folder of pictures leaves it out: the
//! files of a run, and a mark in each PNG.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// The configuration in a run's folder.
pub(crate) const CONFIG: &str = "config.toml";
/// The metrics in a run's folder.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// The checkpoint that a run resumes from.
pub(crate) const LAST: &str = "last.safetensors";

/// Whether a folder is that of a run.
pub(super) fn holds_run(folder: &Path) -> bool {
    let has = |name| folder.join(name).is_file();
    has(METRICS) || has(CONFIG) && has(LAST)
}

// PNG's signature and its chunk IHDR, which comes first.
const HEAD: usize = 8 + 25;
// A text chunk: the key, a zero, the text.
const TEXT: &[u8] = b"tEXtSoftware\0narrows";

fn chunk() -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(TEXT);
    let length = TEXT.len() as u32 - 4;
    [&length.to_be_bytes(), TEXT, &crc.sum().to_be_bytes()].concat()
}

/// A PNG with the mark.
pub(crate) fn marked(mut png: Vec<u8>) -> Vec<u8> {
    let at = HEAD.min(png.len());
    png.splice(at..at, chunk());
    png
}

/// Whether a file that begins with these bytes is a PNG with the mark. 64 bytes suffice.
pub(super) fn is_marked(start: &[u8]) -> bool {
    start.starts_with(b"\x89PNG") && start.get(HEAD..).is_some_and(|rest| rest.starts_with(&chunk()))
}

/// Writes a file whole or not at all: beside its place first, then moved there.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    // A link stays what it is, and so does a device.
    let linked = path.is_symlink().then(|| path.canonicalize().ok()).flatten();
    let target = linked.unwrap_or_else(|| path.to_owned());
    if target.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return std::fs::write(path, bytes).map_err(Error::io("write", path));
    }
    let mut file = beside(&target)?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    put(file, &target)
}

/// A file beside `path`, gone again if it is not [`put`] there.
pub(super) fn beside(path: &Path) -> Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // As any file that is created: the umask decides who else may read it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(Error::io("create", path))
}

/// Moves a written file to its place. Who could read the file that was there can read this one.
pub(super) fn put(file: NamedTempFile, path: &Path) -> Result<()> {
    if let Ok(old) = path.metadata().map(|metadata| metadata.permissions()) {
        file.as_file().set_permissions(old).map_err(Error::io("write", path))?;
    }
    file.as_file().sync_all().map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_png_has_one_more_chunk_and_the_same_pixels() {
        let mut png = std::io::Cursor::new(Vec::new());
        let picture = image::GrayImage::from_fn(3, 2, |x, y| [(x + 3 * y) as u8].into());
        picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
        let plain = png.into_inner();
        let with_mark = marked(plain.clone());
        assert_eq!(with_mark.len(), plain.len() + 28);
        assert!(
            is_marked(&with_mark[..64]) && !is_marked(&plain) && !is_marked(b"") && !is_marked(&plain[..33])
        );
        assert_eq!(image::load_from_memory(&with_mark).unwrap().into_luma8(), picture);
        // The chunk's CRC-32, as Python's zlib computes it.
        assert_eq!(with_mark[57..61], [0x05, 0xf2, 0xca, 0x4b]);
    }
}
