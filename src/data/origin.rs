//! Where bytes are from, for errors.

use std::io;
use std::path::Path;

use crate::Error;

/// Where a reader's bytes are from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin<'a> {
    /// A file.
    File(&'a Path),
    /// Memory; what is read from there.
    Bytes(&'static str),
}

impl Origin<'_> {
    /// A content that is not what it must be.
    pub(super) fn wrong(self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        let (expected, found) = (expected.into(), found.into());
        match self {
            Self::File(path) => Error::File { path: path.to_owned(), expected, found },
            Self::Bytes(what) => Error::Bytes { what, expected, found },
        }
    }

    /// A reader that failed.
    pub(super) fn unread(self, error: io::Error) -> Error {
        match self {
            Self::File(path) => Error::io("read", path)(error),
            Self::Bytes(_) => self.wrong("bytes that can be read", error.to_string()),
        }
    }
}
