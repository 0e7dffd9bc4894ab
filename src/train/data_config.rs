//! The data of a run, as its configuration describes them.

use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Precision;
use crate::data::{
    self, Alpha, ArrayForm, Column, Fit, Form, Layout, Missing, Reading, ScaleKind, ScaleOver, Size, Source,
    Split, TableForm,
};
use crate::model::{Described, Setting, check_applicable, overlaid};
use crate::{Error, Result};

crate::settings! {
    /// What a model is trained on.
    pub struct DataConfig {
        /// The data set
        source: Source = Source::default(), "";
        /// The folder or file to read it from, where that is not the default place
        #[serde(skip_serializing_if = "Option::is_none")]
        dir: Option<PathBuf> = None, "";
        /// How many training images to hold out: the last of data in no order, else some at random; by default a tenth, at
        /// most 5,000
        #[serde(skip_serializing_if = "Option::is_none")]
        validation: Option<usize> = None, "N";
        /// Height and width of a folder's pictures; by default their own where all have one of at most 128, else 64
        #[serde(skip_serializing_if = "Option::is_none")]
        size: Option<Size> = None, "HxW", with source = "folder";
        /// How a folder's pictures of other proportions get that size: crop, pad or stretch
        #[serde(skip_serializing_if = "is_default")]
        fit: Fit = Fit::default(), "FIT", with source = "folder";
        /// Transparent parts of a folder's pictures: white, black or keep (opacity as a channel)
        #[serde(skip_serializing_if = "is_default")]
        alpha: Alpha = Alpha::default(), "ALPHA", with source = "folder";
        /// Whether a folder's pictures are made grey; by default only if all are
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        grey: bool = false, "SWITCH", with source = "folder";
        /// The folder to keep a folder's decoded pictures in, so that the next start need not decode them
        #[serde(skip_serializing_if = "Option::is_none")]
        cache: Option<PathBuf> = None, "FOLDER", with source = "folder";
        /// The validation part, where it is not with the others: the path of a folder, an array or a table
        #[serde(skip_serializing_if = "Option::is_none")]
        val: Option<PathBuf> = None, "PATH";
        /// The test part, likewise
        #[serde(skip_serializing_if = "Option::is_none")]
        test: Option<PathBuf> = None, "PATH";
        /// The most items of each part that the data come in; others are left out at random, with each class in proportion
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<usize> = None, "N";
        /// Classes that training and validation never see, as bag,coat; the test part keeps them
        #[serde(skip_serializing_if = "Vec::is_empty")]
        leave_out: Vec<String> = Vec::new(), "CLASSES";
        /// The array of an .npz archive; by default the first of two to four dimensions
        #[serde(skip_serializing_if = "Option::is_none")]
        array: Option<String> = None, "NAME", with source = "npy";
        /// The labels of an array: the name of an array in its archive, or a .npy file; by default those named y or labels
        #[serde(skip_serializing_if = "Option::is_none")]
        labels: Option<String> = None, "NAME", with source = "npy";
        /// Where an array of four dimensions has its channels: nhwc or nchw; by default nhwc, or what alone can be meant
        #[serde(skip_serializing_if = "Option::is_none")]
        layout: Option<Layout> = None, "LAYOUT", with source = "npy";
        /// How numbers are scaled before the model sees them: auto (as the data are), none, unit (to [0, 1]), standard,
        /// robust (median and quartiles) or log1p
        #[serde(skip_serializing_if = "is_default")]
        scale: ScaleKind = ScaleKind::Auto, "KIND";
        /// What has a scale of its own: column or whole; by default each column of a row, and pictures as a whole
        #[serde(skip_serializing_if = "Option::is_none")]
        scale_over: Option<ScaleOver> = None, "WHAT";
        /// How wide floats are in the device's memory: f32 or f16; by default f32
        #[serde(skip_serializing_if = "Option::is_none")]
        precision: Option<Precision> = None, "WIDTH";
        /// What stands between a table's fields, a character or tab; by default what the file shows: comma, tab, semicolon or bar
        #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "separator")]
        separator: Option<char> = None, "CHAR", with source = "table";
        /// Whether a table's first line holds names; by default where it has text
        #[serde(skip_serializing_if = "Option::is_none")]
        header: Option<bool> = None, "SWITCH", with source = "table";
        /// A table's columns to train on, as age,income; by default all
        #[serde(skip_serializing_if = "Vec::is_empty")]
        columns: Vec<String> = Vec::new(), "NAMES", with source = "table";
        /// A table's columns to leave out
        #[serde(skip_serializing_if = "Vec::is_empty")]
        drop: Vec<String> = Vec::new(), "NAMES", with source = "table";
        /// The column with each row's label
        #[serde(skip_serializing_if = "Option::is_none")]
        label: Option<String> = None, "NAME", with source = "table";
        /// The column with each row's name
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String> = None, "NAME", with source = "table";
        /// Whether each category of a column of text becomes a column of 0 and 1
        #[serde(skip_serializing_if = "Option::is_none")]
        categories: Option<bool> = None, "SWITCH", with source = "table";
        /// Missing values: refuse, mean or median (of the training part, in their place) or drop (their rows)
        #[serde(skip_serializing_if = "Option::is_none")]
        missing: Option<Missing> = None, "KIND", with source = "table";
    }
}

/// The settings of data, as people read about them.
pub const DATA: &[Setting] = DataConfig::DESCRIBED;

impl DataConfig {
    /// Loads the data set in its parts.
    ///
    /// # Errors
    /// As [`data::load_as`]; [`Error::Setting`] for a size with a source whose images keep theirs.
    pub fn load(&self) -> Result<Split> {
        data::load_as(self.source, self.dir.as_deref(), self.validation, &self.reading()?)
    }

    /// Loads the data set for a model of images of this shape, `[height, width, channels]`: the pictures of a folder are
    /// brought to it where these settings do not say otherwise, other images are what they are. Of a table the model's
    /// `columns` are taken, by their names.
    pub fn load_for(&self, shape: [usize; 3], columns: &[Column]) -> Result<Split> {
        data::load_as(self.source, self.dir.as_deref(), self.validation, &self.reading_for(shape, columns)?)
    }

    /// How [`Self::load`] reads, to be watched or for the data in one piece.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting of another source.
    pub fn reading(&self) -> Result<Reading> {
        let grey = if self.alpha == Alpha::Keep { 2 } else { 1 };
        let (size, channels) = (self.size.map(Size::extents), self.grey.then_some(grey));
        self.reading_in(Form { size, channels, fit: self.fit, alpha: self.alpha }, &[])
    }

    /// How [`Self::load_for`] reads.
    ///
    /// # Errors
    /// As [`Self::reading`]; for pictures where the model has columns.
    pub fn reading_for(&self, shape: [usize; 3], columns: &[Column]) -> Result<Reading> {
        Ok(Reading { shape: Some(shape), ..self.reading_in(self.form_for(shape), columns)? })
    }

    fn form_for(&self, [height, width, channels]: [usize; 3]) -> Form {
        let size = Some(self.size.map_or([height, width], Size::extents));
        let alpha = match (channels, self.alpha) {
            (2 | 4, _) => Alpha::Keep,
            (_, Alpha::Keep) => Alpha::White,
            (_, alpha) => alpha,
        };
        let grey = if alpha == Alpha::Keep { 2 } else { 1 };
        let channels = Some(if self.grey { grey } else { channels });
        Form { size, channels, fit: self.fit, alpha }
    }

    fn reading_in(&self, pictures: Form, columns: &[Column]) -> Result<Reading> {
        self.check()?;
        if self.source == Source::Folder && !columns.is_empty() {
            return Err(Self::pictures_for_rows(columns.len()));
        }
        let table = TableForm {
            separator: self.separator,
            header: self.header,
            columns: self.columns.clone(),
            drop: self.drop.clone(),
            label: self.label.clone(),
            id: self.id.clone(),
            categories: self.categories.unwrap_or_default(),
            missing: self.missing.unwrap_or_default(),
            required: Vec::new(),
        };
        let arrays =
            ArrayForm { array: self.array.clone(), labels: self.labels.clone(), layout: self.layout };
        Ok(Reading {
            pictures,
            arrays,
            cache: self.cache.clone(),
            table,
            columns: columns.to_vec(),
            validation: self.val.clone(),
            test: self.test.clone(),
            limit: self.limit,
            leave_out: self.leave_out.clone(),
            ..Reading::default()
        })
    }

    /// The same for data of the same kind at another place: what only those at the first place have is left out.
    #[must_use]
    pub fn of_other_place(self) -> Self {
        let Self { validation, val, test, limit, leave_out, array, labels, .. } = Self::default();
        Self { validation, val, test, limit, leave_out, array, labels, ..self }
    }

    /// The same for a reader that works elsewhere: a relative place that is not there is looked for from the run's folder, and
    /// each folder around it, so that a run that moved together with its data finds them.
    pub fn seen_from(mut self, run: &Path) -> Self {
        let run = run.canonicalize().unwrap_or_else(|_| run.to_owned());
        let places = [&mut self.dir, &mut self.val, &mut self.test, &mut self.cache];
        for place in places.into_iter().flatten() {
            if place.is_relative() && !place.exists() {
                let found = run.ancestors().map(|around| around.join(&*place)).find(|found| found.exists());
                *place = found.unwrap_or_else(|| place.clone());
            }
        }
        self
    }

    pub(super) fn overlaid(&self, given: &toml::Table) -> Result<Self> {
        overlaid("data", self, given)
    }

    /// The refusal of pictures for a model of rows of so many columns.
    pub(crate) fn pictures_for_rows(columns: usize) -> Error {
        let expected = format!(
            "rows of {columns} columns, as in training: a table or an array, such as --data FILE.csv"
        );
        Error::setting("data set", expected, "pictures")
    }

    pub(super) fn check(&self) -> Result<()> {
        if let Some(size) = self.size.filter(|size| size.0.contains(&0)) {
            return Err(Error::setting("size", "at least 1, such as --size 64", size));
        }
        if let Some(0) = self.limit {
            return Err(Error::setting("limit", "at least 1", 0));
        }
        check_applicable("data", self)
    }
}

// Tabs are hard to type.
fn separator<'de, D: Deserializer<'de>>(from: D) -> Result<Option<char>, D::Error> {
    let text = String::deserialize(from)?;
    match text.as_str() {
        "tab" | "\\t" => Ok(Some('\t')),
        text => match text.chars().collect::<Vec<_>>()[..] {
            [separator] if separator.is_ascii() => Ok(Some(separator)),
            _ => Err(D::Error::custom(format!(
                "{text:?}, expected one character of ASCII, such as ';', or tab"
            ))),
        },
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
