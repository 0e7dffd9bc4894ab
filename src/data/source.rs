//! Where a data set comes from: its name on the command line, and the folders it is looked for in.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Serialize};

use super::points::Shape2d;
use super::{idx, npy, picture, table};
use crate::{Error, Result};

/// The environment variable with the folder that contains the data sets' folders.
const PARENT: &str = "NARROWS_DATA";
/// Where Debian's package `dataset-fashion-mnist` puts its files.
const DEBIAN_FASHION_MNIST: &str = "/usr/share/datasets/fashion-mnist";
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
    /// `folder`: the pictures in a folder, of any size; see [`folder`](super::folder).
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
            Self::Folder => ("a folder of pictures", "Give its path with --data-dir PATH"),
            Self::Table => (
                "a .csv, .tsv or .parquet file or a folder with train.csv",
                "Give its path with --data-dir PATH",
            ),
            Self::Npy => {
                ("a .npy or .npz file or a folder with train.npy", "Give its path with --data-dir PATH")
            }
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
    pub(super) fn place(self, data_dir: Option<&Path>) -> Result<PathBuf> {
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
