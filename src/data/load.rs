//! The loading of a data set in its parts, from wherever they are.

use std::path::{Path, PathBuf};

use super::parts::shared;
use super::points::Shape2d;
use super::{
    ArrayForm, Column, Dataset, DrawnParts, Form, LoadReport, Part, Parts, Source, Split, TableForm, Watch,
    classes, folder, idx, npy, table,
};
use crate::{Error, Result};

const FASHION_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// How data are read. A source looks at what concerns it.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The form that a folder's pictures are brought to.
    pub pictures: Form,
    /// The folder in which a folder's decoded pictures are kept for the next time, except a single one. None: they are not
    /// kept.
    pub cache: Option<PathBuf>,
    /// Who is told how many pictures are decoded.
    pub watch: Watch,
    /// How arrays are taken.
    pub arrays: ArrayForm,
    /// How a table is read.
    pub table: TableForm,
    /// The columns of a trained model, which a table must have; empty for all that `table` says.
    pub columns: Vec<Column>,
    /// `[height, width, channels]` of the items of a trained model, for data that are for it.
    pub shape: Option<[usize; 3]>,
    /// The classes of a trained model: subfolders of these names are labels, even a single one.
    pub classes: Vec<String>,
    /// The place of the validation part, where it is not with the others.
    pub validation: Option<PathBuf>,
    /// The place of the test part.
    pub test: Option<PathBuf>,
    /// The most items of a part; others are left out at random, with each class in proportion.
    pub limit: Option<usize>,
    /// The classes that the training and the validation part lack.
    pub leave_out: Vec<String>,
    /// The parts that a run drew.
    pub drawn: Option<DrawnParts>,
}

/// Loads a data set in parts: those that it has, and those that [`Split::of_parts`] makes, with `validation` as its count.
/// `data_dir` is the folder or file of its data.
///
/// # Errors
/// [`Error::Setting`] if no folder is found, if a built-in set is given one, or if `validation` leaves nothing to train
/// on; [`Error::File`] or [`Error::Io`] as [`idx::read`], [`folder::read`], [`npy::read`] and [`table::read`];
/// [`Error::Shape`] if the parts' images differ in size.
pub fn load(source: Source, data_dir: Option<&Path>, validation: Option<usize>) -> Result<Split> {
    load_as(source, data_dir, validation, &Reading::default())
}

/// [`load`], read as `reading` says.
pub fn load_as(
    source: Source,
    data_dir: Option<&Path>,
    validation: Option<usize>,
    reading: &Reading,
) -> Result<Split> {
    let mut parts = parts(source, data_dir, reading)?;
    if let (Some(most), None) = (reading.limit, &reading.drawn) {
        parts.train.limit(most);
    }
    let mut split = match &reading.drawn {
        Some(drawn) => {
            let fewer = reading.limit.is_some() || !reading.leave_out.is_empty();
            Split::drawn_again(parts, drawn, fewer)?
        }
        None => Split::of_parts(parts, validation)?,
    };
    split.leave_out(&reading.leave_out, reading.drawn.is_some())?;
    let Split { train, validation, test, report, .. } = &mut split;
    if let Some(most) = reading.limit {
        [&mut *train, &mut *validation, &mut *test].into_iter().for_each(|part| part.limit(most));
    }
    // What comes with narrows is what it is.
    if source.is_path() {
        report.remarks.extend(shared([train, validation, test]));
    }
    table::fill(&mut [train, validation, test], reading.table.missing);
    Ok(split)
}

/// All of a data set in its own order: parts one after another, pictures by the names of their files.
///
/// # Errors
/// As [`load`].
pub fn load_whole(
    source: Source,
    data_dir: Option<&Path>,
    reading: &Reading,
) -> Result<(Dataset, LoadReport)> {
    let (mut whole, report) = parts(source, data_dir, reading)?.into_whole();
    if let Some(most) = reading.limit {
        whole.limit(most);
    }
    table::fill(&mut [&mut whole], reading.table.missing);
    Ok((whole, report))
}

// The parts at one place, and those that have places of their own.
fn parts(source: Source, data_dir: Option<&Path>, reading: &Reading) -> Result<Parts> {
    let mut parts = parts_at(source, data_dir, reading)?;
    if reading.validation.is_none() && reading.test.is_none() {
        return Ok(parts);
    }
    let train = &parts.train;
    let of = Reading {
        pictures: Form {
            size: Some([train.height, train.width]),
            channels: Some(train.channels),
            ..reading.pictures
        },
        columns: train.columns.clone(),
        // Labels that are named are those of the training part.
        arrays: ArrayForm { labels: None, ..reading.arrays.clone() },
        drawn: None,
        ..reading.clone()
    };
    let places = [
        (Part::Validation, "val", &mut parts.validation, &reading.validation),
        (Part::Test, "test", &mut parts.test, &reading.test),
    ];
    for (part, setting, slot, place) in places {
        let Some(place) = place else { continue };
        let name = part.name();
        if slot.is_some() {
            let expected = format!("no path, since {} has a {name} part of its own", train.name);
            return Err(Error::setting(setting, expected, place.display()));
        }
        let one = format!("the {name} part alone: the path of a folder, an array or a table");
        let source = Source::at(place).ok_or_else(|| Error::setting(setting, &one, place.display()))?;
        let other = parts_at(source, Some(place), &of)?;
        if other.validation.is_some() || other.test.is_some() {
            let got = format!("{}, which has parts of its own", place.display());
            return Err(Error::setting(setting, one, got));
        }
        parts.report.remarks.extend(other.report.remarks);
        parts.report.left_out.extend(other.report.left_out);
        parts.report.files += other.report.files;
        *slot = Some(other.train);
    }
    let Parts { train, validation, test, shuffled, mut report } = parts;
    let there = [validation.is_some(), test.is_some()];
    let sets = [Some(train), validation, test].into_iter().flatten().collect();
    let mut sets = classes::united(sets, &mut report)?.into_iter();
    let Some(train) = sets.next() else { return Err(Error::shape("data set", "a training part", "none")) };
    let [validation, test] = there.map(|there| if there { sets.next() } else { None });
    Ok(Parts { train, validation, test, shuffled, report })
}

fn parts_at(source: Source, data_dir: Option<&Path>, reading: &Reading) -> Result<Parts> {
    let (train, test) = match (source, data_dir) {
        #[cfg(feature = "sample")]
        (Source::Sample, None) => super::sample::read(&source.to_string())?,
        #[cfg(not(feature = "sample"))]
        (Source::Sample, None) => {
            let expected = "data of your own: the feature `sample`, which builds it in, is off";
            return Err(Error::setting("data", expected, source));
        }
        (Source::Spiral, None) => Shape2d::Spiral.read()?,
        (Source::Moons, None) => Shape2d::Moons.read()?,
        (Source::Mixture, None) => Shape2d::Mixture.read()?,
        (Source::Sample | Source::Spiral | Source::Moons | Source::Mixture, Some(folder)) => {
            let expected = format!("no folder: the data set {source} is built in");
            return Err(Error::setting("--data-dir", expected, folder.display()));
        }
        (Source::Folder, _) => return folder::read_as(&source.place(data_dir)?, reading),
        (Source::Table, _) => {
            return table::read_parts(&source.place(data_dir)?, reading);
        }
        (Source::Npy, _) => return npy::read_parts(&source.place(data_dir)?, &reading.arrays),
        (Source::FashionMnist | Source::Mnist | Source::Idx, _) => {
            let folder = source.place(data_dir)?;
            (read_part(source, &folder, "train")?, read_part(source, &folder, "t10k")?)
        }
    };
    let clothes = matches!(source, Source::Sample | Source::FashionMnist);
    let named = |part: Dataset| if clothes { part.with_classes(FASHION_CLASSES) } else { Ok(part) };
    Ok(Parts { test: Some(named(test)?), shuffled: true, ..Parts::new(named(train)?) })
}

/// Reads `{part}-images-idx3-ubyte` and `{part}-labels-idx1-ubyte`.
fn read_part(source: Source, folder: &Path, part: &str) -> Result<Dataset> {
    let images = idx::find(folder, &format!("{part}-images-idx3-ubyte"))?;
    let labels = idx::find(folder, &format!("{part}-labels-idx1-ubyte"));
    // The user's own sets are named after their folder, and need no labels.
    let name = folder.file_name().filter(|_| source == Source::Idx);
    let labels = match labels {
        Err(Error::File { .. }) if source == Source::Idx => None,
        labels => Some(labels?),
    };
    let name = name.map_or_else(|| source.to_string(), |name| name.to_string_lossy().into_owned());
    idx::read(&name, &images, labels.as_deref())
}
