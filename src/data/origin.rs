//! The source of bytes, and the errors that name it.

use std::fs::File;
use std::io;
use std::path::Path;

use super::shell_word;
use crate::{Error, Result};

/// Opens a file that is `kind`, and gets its length in bytes.
pub(super) fn open(path: &Path, kind: &str) -> Result<(File, u64)> {
    let file = File::open(path).map_err(Error::io("open", path))?;
    let metadata = file.metadata().map_err(Error::io("read", path))?;
    match metadata.is_dir() {
        true => Err(Origin::File(path).wrong(kind, "a folder")),
        false => Ok((file, metadata.len())),
    }
}

/// What is said of a compressed file, by its first bytes: its kind, and the command that unpacks it.
pub(super) fn compressed(start: &[u8], path: &Path) -> Option<String> {
    let kinds = [
        (&b"\x1f\x8b"[..], "gzip", "gunzip -k"),
        (b"BZh", "bzip2", "bunzip2 -k"),
        (b"\xfd7zXZ", "xz", "unxz -k"),
        (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd"),
        (b"PK\x03\x04", "ZIP", "unzip"),
    ];
    let (_, kind, command) = kinds.into_iter().find(|(magic, ..)| start.starts_with(magic))?;
    let file = shell_word(&path.display().to_string());
    Some(format!("a file compressed by {kind}, which is not read; unpack it: {command} {file}"))
}

/// The source of a reader's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'a> {
    /// A file.
    File(&'a Path),
    /// Memory, with a description of the content.
    Bytes(&'static str),
}

impl Origin<'_> {
    /// The error for invalid content.
    pub(super) fn wrong(self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        let (expected, found) = (expected.into(), found.into());
        match self {
            Self::File(path) => Error::File { path: path.to_owned(), expected, found },
            Self::Bytes(what) => Error::Bytes { what, expected, found },
        }
    }

    /// The error for a reader that failed.
    pub(super) fn unread(self, error: io::Error) -> Error {
        match self {
            Self::File(path) => Error::io("read", path)(error),
            Self::Bytes(_) => self.wrong("readable bytes", error.to_string()),
        }
    }
}
