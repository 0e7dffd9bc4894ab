//! NumPy's `.npy` and `.npz` files: images or rows of numbers, and their labels.
//!
//! An array is `[n, height, width]`, `[n, height, width, channels]` or `[n, channels, height, width]` with 1 to 4 channels,
//! or `[n, d]`, which is n rows of d numbers. Bytes (`uint8`) are taken as they are, except that a mask of 0 and 1 becomes
//! 0 and 255, as booleans do. Every other real type (floats of 16, 32 and 64 bits, whole numbers of 8 to 64) becomes the
//! nearest 32-bit floats, which must be finite. Any byte order, C or Fortran order.
//!
//! Labels are `[n]`: whole numbers or text. Those from 0 to 255 are labels as they are, others are names of classes.
//!
//! The crate `npyz` reads headers and values. It trusts a header, so the length of the header, its brackets, its digits
//! and the length of the file are checked before: a file cannot take more memory than its own size, an archive not more
//! than a thousand times that.

mod archive;
mod array;
mod header;
mod labels;
mod reader;

use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub(super) use self::archive::is_named_as_archive;
use self::array::Array;
use self::labels::Labels;
use self::reader::Reader;
use super::origin::Origin;
use super::part::{Content, Part, PartFiles};
use super::{Dataset, LoadReport, Parts, classes};
use crate::{Error, Result};

/// The order of an array's four axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[n, height, width, channels]`.
    Nhwc,
    /// `[n, channels, height, width]`.
    Nchw,
}

/// How arrays are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayForm {
    /// The array of an archive; by default its first one of two to four dimensions.
    pub array: Option<String>,
    /// The labels: the name of an archive's array, or a `.npy` file. By default what is named so.
    pub labels: Option<String>,
    /// The order of four axes; by default channels last unless only the second axis can be that of channels.
    pub layout: Option<Layout>,
}

// Images without labels, and their labels.
type Items = (Dataset, Option<Labels>);

/// Reads an array of images and, if given, one of labels `[n]`.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read; [`Error::File`] if it is not a `.npy` file, has another type or shape or more
/// than 2^31 values, is shorter or longer than its header says, has a value out of range (with its place), or if the
/// number of labels differs from the number of images.
pub fn read(name: &str, images: &Path, labels: Option<&Path>) -> Result<Dataset> {
    decode(name, Array::open(images)?, labels.map(Array::open).transpose()?)
}

/// Reads the content of such files.
///
/// # Errors
/// [`Error::Bytes`] where [`read`] has [`Error::File`].
pub fn from_bytes<'a>(name: &str, images: &'a [u8], labels: Option<&'a [u8]>) -> Result<Dataset> {
    let array = |bytes: &'a [u8], what| Array::new(bytes, bytes.len() as u64, Origin::Bytes(what));
    let labels = labels.map(|labels| array(labels, ".npy labels")).transpose()?;
    decode(name, array(images, ".npy images")?, labels)
}

/// Reads the content of a `.npy` file of images, which errors call as one at `path`.
pub(super) fn from_bytes_of(bytes: &[u8], path: &Path) -> Result<Dataset> {
    decode("npy", Array::new(bytes, bytes.len() as u64, Origin::File(path))?, None::<Array<'_, &[u8]>>)
}

fn decode<R: Read>(name: &str, images: Array<'_, R>, labels: Option<Array<'_, R>>) -> Result<Dataset> {
    let mut report = LoadReport::default();
    let set = dataset(name, images, None, &mut report)?;
    let labels = labels.map(|labels| Labels::read(labels, set.len())).transpose()?;
    Ok(labelled([(set, labels)].into(), &mut report)?.remove(0))
}

fn dataset<R: Read>(
    name: &str,
    array: Array<'_, R>,
    layout: Option<Layout>,
    report: &mut LoadReport,
) -> Result<Dataset> {
    let (extents, values) = array.images(layout, &mut report.remarks)?;
    Dataset::new(name, extents, values, None)
}

/// The parts at `path`: a single array is a training part. A folder or an archive has `train` (or `x_train`, `train-images`
/// and the like, in any case) and may have `val` (or `valid`, `validation`) and `test`, with `y_train` or `train-labels`.
///
/// The labels of another `NAME.npy` are in `NAME-labels.npy` or, if there is only one array, in `labels.npy` or `y.npy` next
/// to it; those of an archive in its array `y`, `labels` or `target`. They are optional: what cannot be used is left
/// out with a remark, unless `form` names it.
///
/// # Errors
/// As [`read`]; [`Error::File`] if a folder has no training part; [`Error::Setting`] for an array that an archive lacks, and
/// for a layout of an array without four axes.
pub fn read_parts(path: &Path, form: &ArrayForm) -> Result<Parts> {
    let name = path.file_stem().map_or_else(|| "npy".into(), |stem| stem.to_string_lossy());
    let mut report = LoadReport::default();
    let mut reader = Reader { name: &name, form, report: &mut report };
    let mut parts = if path.is_dir() { reader.folder(path)? } else { reader.file(path)? };
    let parts_there: Vec<Part> = parts.iter().map(|(part, _)| *part).collect();
    let items = parts.drain(..).map(|(_, items)| items).collect();
    let sets = labelled(items, &mut report)?;
    let mut parts = Part::ALL.map(|_| None);
    parts_there.into_iter().zip(sets).for_each(|(part, set)| parts[part as usize] = Some(set));
    let [train, validation, test] = parts;
    let Some(train) = train else {
        let (expected, found) = ("train.npy, x_train.npy or train.npz".to_owned(), "none of them".to_owned());
        return Err(Error::File { path: path.to_owned(), expected, found });
    };
    Ok(Parts { validation, test, report, ..Parts::new(train) })
}

/// Whether a folder has a training part in arrays.
pub(super) fn has_parts(folder: &Path) -> bool {
    PartFiles::within(folder, is_named_as_array).get(Part::Train, Content::Items).is_some()
}

fn is_named_as_array(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy")) || is_named_as_archive(path)
}

// Labels that are names are numbered over all parts together.
fn labelled(items: Vec<Items>, report: &mut LoadReport) -> Result<Vec<Dataset>> {
    let whole = |labels: &Labels| matches!(labels, Labels::Numbers(_));
    if items.iter().filter_map(|(_, labels)| labels.as_ref()).all(whole) {
        let set = |(set, labels): Items| match labels {
            Some(Labels::Numbers(labels)) => Dataset { labels: Some(labels), ..set },
            _ => set,
        };
        return Ok(items.into_iter().map(set).collect());
    }
    let named = items.into_iter().map(|(set, labels)| (set, labels.map(Labels::names))).collect();
    classes::labelled(named, "labels", report)
}
