//! How narrows writes files, whole or not at all; and what it writes, by which a folder of pictures leaves it out: the
//! files of a run, and a mark in each PNG.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// The configuration in a run's folder.
pub(crate) const CONFIG: &str = "config.toml";
/// The metrics in a run's folder.
pub(crate) const METRICS: &str = "metrics.jsonl";
/// The checkpoint that a run resumes from.
pub(crate) const LAST: &str = "last.safetensors";

/// The parts that a run drew.
pub(crate) const SPLIT: &str = "split.csv";

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
    let length = TEXT.len() as u32 - 4;
    [&length.to_be_bytes(), TEXT, &checksum(TEXT).to_be_bytes()].concat()
}

/// The CRC-32 of some bytes.
pub(crate) fn checksum(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
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

/// As [`write_whole`]; the file that was there is kept as `previous`. It is moved when the new one is whole and on the
/// disk, so that at any moment one of the two names has a whole file.
pub(crate) fn replace(path: &Path, bytes: &[u8], previous: &Path) -> Result<()> {
    let mut file = beside(path)?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.as_file().sync_all().map_err(Error::io("write", path))?;
    if let Ok(old) = path.metadata() {
        file.as_file().set_permissions(old.permissions()).map_err(Error::io("write", path))?;
        std::fs::rename(path, previous).map_err(Error::io("write", previous))?;
    }
    put(file, path)
}

/// Writes a file whole or not at all: beside its place first, then moved there.
///
/// # Errors
/// [`Error::Io`] naming the file.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = Growing::new(path)?;
    file.write_all(bytes).map_err(Error::io("write", path))?;
    file.finish()
}

/// A file that is written piece by piece, as [`write_whole`]: it is in its place when it is finished, and gone if it never is.
pub(crate) struct Growing {
    path: PathBuf,
    target: PathBuf,
    file: Begun,
}

enum Begun {
    Beside(NamedTempFile),
    /// A device or a named pipe has no place beside it.
    Device(File),
}

impl Growing {
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let target = target(path);
        let file = match target.symlink_metadata() {
            Ok(metadata) if !metadata.is_file() => {
                Begun::Device(File::create(path).map_err(Error::io("write", path))?)
            }
            _ => Begun::Beside(beside(&target)?),
        };
        Ok(Self { path: path.to_owned(), target, file })
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// [`Error::Io`] naming the file.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.flush().map_err(Error::io("write", &self.path))?;
        match self.file {
            Begun::Beside(file) => put(file, &self.target),
            Begun::Device(_) => Ok(()),
        }
    }
}

impl Write for Growing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.file {
            // The file's own error: the other names the file beside.
            Begun::Beside(file) => file.as_file_mut().write(bytes),
            Begun::Device(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.file {
            Begun::Beside(file) => file.as_file_mut().flush(),
            Begun::Device(file) => file.flush(),
        }
    }
}

/// What a path means: a link stays what it is, and so does a device.
pub(crate) fn target(path: &Path) -> PathBuf {
    let linked = path.is_symlink().then(|| path.canonicalize().ok()).flatten();
    linked.unwrap_or_else(|| path.to_owned())
}

/// Whether this process has an open file to itself, which the system ends with the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It has, until the file is closed.
    Own,
    /// Another has, or this one through another opening.
    Others,
    /// The file system has no locks.
    Unknown,
}

/// Takes an open file for this process alone.
pub(crate) fn hold(file: &File) -> Hold {
    #[cfg(any(unix, windows))]
    return match fs4::FileExt::try_lock(file) {
        Ok(()) => Hold::Own,
        Err(fs4::TryLockError::WouldBlock) => Hold::Others,
        Err(fs4::TryLockError::Error(_)) => Hold::Unknown,
    };
    #[cfg(not(any(unix, windows)))]
    {
        let _ = file;
        Hold::Unknown
    }
}

// The names of files under way. Between these parts is something random.
const BEGINNING: &str = ".narrows-";
const ENDING: &str = ".tmp";

/// A file beside `path`, gone again if it is not [`put`] there. The first in a folder sweeps it.
pub(crate) fn beside(path: &Path) -> Result<NamedTempFile> {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned()) {
        sweep(folder);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(BEGINNING).suffix(ENDING);
    loop {
        // As any file that is created: the umask decides who else may read it. An error of this does not name the file beside.
        let open = |beside: &Path| OpenOptions::new().read(true).write(true).create_new(true).open(beside);
        let file = builder.make_in(folder, open).map_err(Error::io("create", path))?;
        // A sweep of another process may take it before it is held.
        if hold(file.as_file()) != Hold::Others && file.path().exists() {
            return Ok(file);
        }
    }
}

/// Removes what processes that were killed left under way in a folder: files of these names that nobody holds.
fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with(BEGINNING) && name.ends_with(ENDING));
        if !ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = OpenOptions::new().write(true).open(entry.path()) else { continue };
        if hold(&file) == Hold::Own {
            // What cannot be removed is in nobody's way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Moves a written file to its place. Who could read the file that was there can read this one.
pub(crate) fn put(file: NamedTempFile, path: &Path) -> Result<()> {
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
    fn a_sweep_removes_what_was_left_under_way_and_nothing_else() {
        let folder = tempfile::TempDir::new().unwrap();
        let at = |name: &str| folder.path().join(name);
        let foreign = [".narrows-x.txt", ".tmpAbC", "narrows-x.tmp", ".narrows.tmp"];
        foreign.iter().chain(&[".narrows-dead.tmp"]).for_each(|name| std::fs::write(at(name), "x").unwrap());
        std::fs::create_dir(at(".narrows-folder.tmp")).unwrap();
        let alive = beside(&at("x")).unwrap();
        assert!(!at(".narrows-dead.tmp").exists());
        std::fs::write(at(".narrows-later.tmp"), "x").unwrap();
        sweep(folder.path());
        assert!(!at(".narrows-later.tmp").exists() && at(".narrows-folder.tmp").exists());
        assert!(foreign.iter().all(|name| at(name).exists()));
        put(alive, &at("x")).unwrap();
        assert!(at("x").exists());
    }

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
