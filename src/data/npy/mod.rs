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

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::archive::Archive;
pub(super) use self::archive::is_named_as_archive;
use self::array::Array;
use self::labels::Labels;
use super::classes::numbered;
use super::origin::Origin;
use super::part::{Content, Part, PartFiles, meaning};
use super::{Dataset, LoadReport, Parts};
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

struct Reader<'a> {
    name: &'a str,
    form: &'a ArrayForm,
    report: &'a mut LoadReport,
}

impl Reader<'_> {
    fn folder(&mut self, folder: &Path) -> Result<Vec<(Part, Items)>> {
        let files = PartFiles::within(folder, is_named_as_array);
        let part = |part: Part| files.get(part, Content::Items).map(|file| (part, file));
        let there: Vec<_> = Part::ALL.into_iter().filter_map(part).collect();
        let alone = there.len() == 1;
        let read = |(part, file): (Part, &Path)| {
            let labels = files.get(part, Content::Labels).map(Path::to_owned);
            let items = match is_named_as_archive(file) {
                true => self.archived(&mut Archive::open(file)?)?,
                false => self.array(file, labels.or_else(|| labels_beside(file, alone)))?,
            };
            Ok((part, items))
        };
        there.into_iter().map(read).collect()
    }

    fn file(&mut self, path: &Path) -> Result<Vec<(Part, Items)>> {
        if is_named_as_archive(path) {
            return self.archive(path);
        }
        if let Some(array) = &self.form.array {
            return Err(Error::setting(
                "array",
                "an .npz archive with it",
                format!("{array} of {}", path.display()),
            ));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let files = PartFiles::within(folder, is_named_as_array);
        let own = path.file_stem().and_then(|stem| meaning(&stem.to_string_lossy()));
        let labels = own.and_then(|(part, _)| files.get(part, Content::Labels)).map(Path::to_owned);
        if own == Some((Part::Train, Content::Items)) {
            let others =
                [Part::Validation, Part::Test].into_iter().filter_map(|part| files.get(part, Content::Items));
            let others: Vec<_> = others.map(|file| file.display().to_string()).collect();
            if !others.is_empty() {
                let remark = format!(
                    "{} beside it is not read; --data with their folder takes the parts together",
                    others.join(" and ")
                );
                self.report.remarks.push(remark);
            }
        }
        let items = self.array(path, labels.or_else(|| labels_beside(path, true)))?;
        Ok(vec![(Part::Train, items)])
    }

    // A .npy file. Labels that are named by the form must fit, those that were found need not.
    fn array(&mut self, path: &Path, found: Option<PathBuf>) -> Result<Items> {
        let given = self.form.labels.as_ref().map(|labels| given_labels(labels, path)).transpose()?;
        let set = self.dataset(path, Array::open(path)?)?;
        let read = |labels: &Path| Labels::read(Array::open(labels)?, set.len());
        let labels = match (given, found) {
            (Some(labels), _) => Some(read(&labels)?),
            (None, Some(labels)) => self.optional(read(&labels)),
            (None, None) => None,
        };
        Ok((set, labels))
    }

    fn archive(&mut self, path: &Path) -> Result<Vec<(Part, Items)>> {
        let mut archive = Archive::open(path)?;
        let of = |part: Part, content: Content| {
            archive.names.iter().find(|name| meaning(name) == Some((part, content))).cloned()
        };
        let parts = Part::ALL.map(|part| (part, of(part, Content::Items), of(part, Content::Labels)));
        if self.form.array.is_some() || parts[0].1.is_none() {
            return Ok(vec![(Part::Train, self.archived(&mut archive)?)]);
        }
        if let Some(labels) = &self.form.labels {
            let expected = "none for an archive with parts, whose labels are y_train and y_test";
            return Err(Error::setting("labels", expected, labels));
        }
        let there = parts.into_iter().filter_map(|(part, items, labels)| Some((part, items?, labels)));
        let read = |(part, items, labels): (Part, String, Option<String>)| {
            let set = self.member(&mut archive, &items)?;
            let labels = labels.map(|labels| archive.array(&labels, |array| Labels::read(array, set.len())));
            Ok((part, (set, labels.and_then(|labels| self.optional(labels)))))
        };
        there.map(read).collect()
    }

    // The images and labels of an archive that is one part.
    fn archived(&mut self, archive: &mut Archive) -> Result<Items> {
        let name = match &self.form.array {
            Some(name) if archive.names.contains(name) => name.clone(),
            Some(name) => return Err(archive.without("array", name)),
            None => self.first_images(archive)?,
        };
        let set = self.member(archive, &name)?;
        let labels = match &self.form.labels {
            Some(labels) if archive.names.contains(labels) => {
                Some(archive.array(labels, |array| Labels::read(array, set.len()))?)
            }
            Some(labels) => return Err(archive.without("labels", labels)),
            None => {
                let labels = archive.names.iter().find(|name| Content::named(name) == Some(Content::Labels));
                let labels = labels
                    .cloned()
                    .map(|labels| archive.array(&labels, |array| Labels::read(array, set.len())));
                labels.and_then(|labels| self.optional(labels))
            }
        };
        Ok((set, labels))
    }

    // The first array that may be images, with a remark where others may be too.
    fn first_images(&mut self, archive: &mut Archive) -> Result<String> {
        let (mut fit, mut seen) = (Vec::new(), Vec::new());
        for name in archive.names.clone() {
            let (shape, description) =
                archive.array(&name, |array| Ok((array.shape().to_vec(), array.description())))?;
            seen.push(format!("{name} {description}"));
            if (2..=4).contains(&shape.len()) && Content::named(&name) != Some(Content::Labels) {
                fit.push(name);
            }
        }
        let Some(first) = fit.first() else {
            let expected = "an array of two to four dimensions";
            return Err(Origin::File(archive.path()).wrong(expected, seen.join(", ")));
        };
        if fit.len() > 1 {
            self.report.remarks.push(format!(
                "of {} the array {first} is taken; --array NAME takes another",
                seen.join(", ")
            ));
        }
        Ok(first.clone())
    }

    fn member(&mut self, archive: &mut Archive, name: &str) -> Result<Dataset> {
        let path = archive.path().join(name);
        archive.array(name, |array| self.dataset(&path, array))
    }

    fn dataset<R: Read>(&mut self, path: &Path, array: Array<'_, R>) -> Result<Dataset> {
        let before = self.report.remarks.len();
        let set = dataset(self.name, array, self.form.layout, self.report)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        self.report.remarks[before..].iter_mut().for_each(|remark| *remark = format!("{file} {remark}"));
        Ok(set)
    }

    // Training needs no labels: those that cannot be used end no run.
    fn optional(&mut self, labels: Result<Labels>) -> Option<Labels> {
        labels.map_err(|error| self.report.remarks.push(format!("labels are left out: {error}"))).ok()
    }
}

// A file of labels that was named: where it says, or next to the images.
fn given_labels(labels: &str, images: &Path) -> Result<PathBuf> {
    let places = [PathBuf::from(labels), images.with_file_name(labels)];
    let found = places.into_iter().find(|place| place.is_file());
    found.ok_or_else(|| {
        Error::setting("labels", "a .npy file with labels, or an array of an .npz archive", labels)
    })
}

fn labels_beside(images: &Path, alone: bool) -> Option<PathBuf> {
    let stem = images.file_stem()?.to_string_lossy();
    let own = format!("{stem}-labels.npy");
    let common = ["labels.npy", "y.npy"].into_iter().filter(|_| alone).map(str::to_owned);
    [own].into_iter().chain(common).map(|name| images.with_file_name(name)).find(|path| path.is_file())
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
    let items: Vec<_> = items.into_iter().map(|(set, labels)| (set, labels.map(Labels::names))).collect();
    let all: Vec<&[String]> = items.iter().filter_map(|(_, names)| names.as_deref()).collect();
    let (labels, classes) = numbered(&all.concat(), "labels", report);
    let mut labels = labels.into_iter().flatten();
    let set = |(set, names): (Dataset, Option<Vec<String>>)| {
        let own =
            names.filter(|_| !classes.is_empty()).map(|names| labels.by_ref().take(names.len()).collect());
        Dataset { labels: own, ..set }.with_classes(classes.clone())
    };
    items.into_iter().map(set).collect()
}
