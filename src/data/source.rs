//! Where a data set comes from: its name on the command line, and the folders it is looked for in.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Serialize};

use super::parts::shared;
use super::points::Shape2d;
use super::{
    ArrayForm, Column, Dataset, DrawnParts, Form, LoadReport, Part, Parts, Split, TableForm, Watch, classes,
    folder, idx, npy, picture, sample, table,
};
use crate::{Error, Result};

/// The environment variable with the folder that contains the data sets' folders.
const PARENT: &str = "NARROWS_DATA";
/// Where Debian's package `dataset-fashion-mnist` puts its files.
const DEBIAN_FASHION_MNIST: &str = "/usr/share/datasets/fashion-mnist";
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

/// A data set by name. [`Display`](fmt::Display), [`FromStr`] and serde use the same names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// `sample`: 8,000 and 1,000 images of Fashion-MNIST, built in.
    #[default]
    Sample,
    /// `fashion-mnist`: all 60,000 and 10,000 images, from the given folder, else `$NARROWS_DATA/fashion-mnist`,
    /// else where Debian's package puts them.
    FashionMnist,
    /// `mnist`: from the given folder, else `$NARROWS_DATA/mnist`.
    Mnist,
    /// `idx`: IDX files under MNIST's file names, from the given folder. The label files may be missing.
    Idx,
    /// `folder`: the pictures in a folder, of any size; see [`folder`].
    Folder,
    /// `table`: CSV, TSV and Parquet files; see [`table`].
    Table,
    /// `npy`: NumPy's `.npy` and `.npz` files; see [`npy`].
    Npy,
    /// `spiral`: points of the plane around a curve, as images of two pixels; drawn, not read.
    Spiral,
    /// `moons`: points of the plane around two half circles.
    Moons,
    /// `mixture`: points of the plane from a mixture of three Gaussians.
    Mixture,
}

impl Source {
    /// The data set of a shape's points.
    pub const fn of_shape(shape: Shape2d) -> Self {
        match shape {
            Shape2d::Spiral => Self::Spiral,
            Shape2d::Moons => Self::Moons,
            Shape2d::Mixture => Self::Mixture,
        }
    }

    /// The format of the data at `path`: `table` for a .csv, .tsv or .parquet file or a folder with `train.csv`,
    /// `folder` for a picture, `npy` for another file or a folder with `train.npy`, `idx` for a folder with IDX
    /// files, `folder` for any other folder. None where nothing exists.
    pub fn at(path: &Path) -> Option<Self> {
        if table::is_named_as_table(path) || table::has_parts(path) {
            return Some(Self::Table);
        }
        // A picture that cannot be read is told of as one.
        if path.is_file() && picture::kind(path) != picture::Kind::Other {
            return Some(Self::Folder);
        }
        if path.is_file() || npy::has_parts(path) {
            return Some(Self::Npy);
        }
        let idx = || idx::find(path, "train-images-idx3-ubyte").is_ok();
        path.is_dir().then(|| if idx() { Self::Idx } else { Self::Folder })
    }

    /// Whether it is read from a place of the user's.
    pub const fn is_path(self) -> bool {
        matches!(self, Self::Idx | Self::Folder | Self::Npy | Self::Table)
    }

    /// What the source expects to find, and what to do if it is not there.
    const fn content(self) -> (&'static str, &'static str) {
        match self {
            Self::Folder => ("a folder of pictures", "Give its path with --data PATH"),
            Self::Table => {
                ("a .csv, .tsv or .parquet file or a folder with train.csv", "Give its path with --data PATH")
            }
            Self::Npy => ("a .npy or .npz file or a folder with train.npy", "Give its path with --data PATH"),
            Self::FashionMnist => (
                "a folder of IDX files",
                "`apt-get install dataset-fashion-mnist`, or download the four files from \
                 https://github.com/zalandoresearch/fashion-mnist into a folder and pass --data-dir",
            ),
            _ => ("a folder of IDX files", "Download the four files into a folder and pass --data-dir"),
        }
    }

    /// The places to look in, in order; `parent` is the value of `NARROWS_DATA`.
    fn places(self, data_dir: Option<&Path>, parent: Option<OsString>) -> Vec<PathBuf> {
        if let Some(folder) = data_dir {
            return vec![folder.to_owned()];
        }
        let named = parent
            .filter(|parent| !parent.is_empty())
            .map(|parent| Path::new(&parent).join(self.to_string()));
        match self {
            Self::FashionMnist => named.into_iter().chain([DEBIAN_FASHION_MNIST.into()]).collect(),
            Self::Mnist => named.into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The first of [`Self::places`] that is a folder or, for `npy`, a file.
    fn place(self, data_dir: Option<&Path>) -> Result<PathBuf> {
        let places = self.places(data_dir, env::var_os(PARENT));
        let fits = |place: &&PathBuf| {
            place.is_dir() || matches!(self, Self::Folder | Self::Npy | Self::Table) && place.is_file()
        };
        if let Some(place) = places.iter().find(fits) {
            return Ok(place.clone());
        }
        let (content, advice) = self.content();
        let looked: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
        let (expected, got) = match self {
            _ if !looked.is_empty() => {
                let got =
                    if matches!(self, Self::Npy | Self::Table) { "nothing there" } else { "no such folder" };
                (format!("{content} at {}", looked.join(" or ")), got)
            }
            Self::Idx | Self::Folder | Self::Npy | Self::Table => (format!("--data-dir, {content}"), "none"),
            _ => (format!("--data-dir, or {PARENT} with a folder {self}"), "neither"),
        };
        Err(Error::setting(format!("data set {self}"), expected, format!("{got}. {advice}")))
    }
}

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
    /// The place of the validation part, where it is not with the others.
    pub validation: Option<PathBuf>,
    /// The place of the test part.
    pub test: Option<PathBuf>,
    /// The most items of a part; others are left out at random, with each class in proportion.
    pub limit: Option<usize>,
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
        Some(drawn) => Split::drawn_again(parts, drawn, reading.limit.is_some())?,
        None => Split::of_parts(parts, validation)?,
    };
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
    let train = &mut parts.train;
    let of = Reading {
        pictures: Form {
            size: Some([train.height, train.width]),
            channels: Some(train.channels),
            ..reading.pictures
        },
        columns: train.columns.clone(),
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
    classes::unite([Some(train), parts.validation.as_mut(), parts.test.as_mut()], &mut parts.report);
    Ok(parts)
}

fn parts_at(source: Source, data_dir: Option<&Path>, reading: &Reading) -> Result<Parts> {
    let (train, test) = match (source, data_dir) {
        (Source::Sample, None) => sample::read(&source.to_string())?,
        (Source::Spiral, None) => Shape2d::Spiral.read()?,
        (Source::Moons, None) => Shape2d::Moons.read()?,
        (Source::Mixture, None) => Shape2d::Mixture.read()?,
        (Source::Sample | Source::Spiral | Source::Moons | Source::Mixture, Some(folder)) => {
            let expected = format!("no folder: the data set {source} is built in");
            return Err(Error::setting("--data-dir", expected, folder.display()));
        }
        (Source::Folder, _) => return folder::read_as(&source.place(data_dir)?, reading),
        (Source::Table, _) => {
            return table::read_parts(&source.place(data_dir)?, &reading.table, &reading.columns);
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

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

impl FromStr for Source {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::deserialize(name.into_deserializer()).map_err(|error: value::Error| {
            let text = error.to_string();
            let names = text.split_once("expected ").map_or(text.as_str(), |(_, names)| names);
            Error::setting("data set", names.replace('`', ""), format!("`{name}`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_given_folder_comes_first_then_the_environment_then_the_package() {
        let places = |source: Source, data_dir: Option<&str>, parent: Option<&str>| {
            source.places(data_dir.map(Path::new), parent.map(OsString::from))
        };
        let fashion = Source::FashionMnist;
        assert_eq!(places(fashion, Some("here"), Some("sets")), [Path::new("here")]);
        let found = places(fashion, None, Some("sets"));
        assert_eq!(found, [&Path::new("sets").join("fashion-mnist"), Path::new(DEBIAN_FASHION_MNIST)]);
        assert_eq!(places(fashion, None, Some("")), [Path::new(DEBIAN_FASHION_MNIST)]);
        assert_eq!(places(Source::Mnist, None, Some("sets")), [Path::new("sets").join("mnist")]);
        assert!(places(Source::Mnist, None, None).is_empty());
        assert!(places(Source::Idx, None, Some("sets")).is_empty());
    }
}
