//! Codes that are given to be decoded: an array, or a table as `narrows encode` writes it.

use std::path::Path;

use super::{Dataset, Items, Reading, Source, load_whole, npy, table};
use crate::{Error, Result};

// How a .npy file begins.
const NPY: &[u8] = b"\x93NUMPY";

/// Codes of a file as rows of `latent` numbers: an array of floats, or a table with the columns z0, z1 and so on. Of its other
/// columns `class`, or else `label`, is the label of each. A table without names has the columns of the codes alone.
///
/// # Errors
/// [`Error::Setting`] for a file of another kind, and for codes of another width; [`Error::File`] or [`Error::Io`] as
/// [`load_whole`], and for a missing value, with its line.
pub fn read_codes(path: &Path, latent: usize) -> Result<Dataset> {
    match Source::at(path) {
        Some(Source::Table) if path.is_file() => table::read_codes(path, None, latent),
        Some(Source::Npy) => {
            checked(load_whole(Source::Npy, Some(path), &Reading::default())?.0, path, latent)
        }
        _ => Err(Error::setting("CODES", "a .npy array or a .csv table that exists", path.display())),
    }
}

/// [`read_codes`] of the content of a .npy file, or else of a table of text. Errors call it `name`.
///
/// # Errors
/// As [`read_codes`].
pub fn read_codes_from(bytes: &[u8], name: &Path, latent: usize) -> Result<Dataset> {
    if bytes.starts_with(NPY) {
        return checked(npy::from_bytes_of(bytes, name)?, name, latent);
    }
    table::read_codes(name, Some(bytes), latent)
}

fn checked(codes: Dataset, path: &Path, latent: usize) -> Result<Dataset> {
    if codes.shape() != [1, latent, 1] {
        return Err(wrong(latent, format!("{} of {}", Items::shaped(codes.shape()), path.display())));
    }
    if codes.values.are_bytes() {
        return Err(wrong(latent, format!("bytes in {}", path.display())));
    }
    Ok(codes)
}

/// The error for what are no codes of a model.
pub(super) fn wrong(latent: usize, got: String) -> Error {
    Error::setting("CODES", format!("f32 codes [codes, {latent}], as of `narrows encode`"), got)
}
