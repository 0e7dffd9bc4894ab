//! Images or rows of numbers in memory, and their division into training, validation and test parts.

use std::ops::Range;
use std::path::PathBuf;

use super::{Column, Items, Part, Values};
use crate::{Error, Result};

/// The most validation images by default: a tenth of the training images, but no more than these.
pub(super) const MOST_VALIDATION: usize = 5_000;

/// Images of one size, with or without labels.
///
/// The fields are public for reading. [`Dataset::new`] checks that they fit each other, and every method relies on it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Dataset {
    /// Its name in reports and errors.
    pub name: String,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Values of a pixel: 1 for grey, 3 for RGB; 2 and 4 with opacity after the colours.
    pub channels: usize,
    /// `[count, height, width, channels]`
    pub values: Values,
    /// `[count]`: the class of each image.
    pub labels: Option<Vec<u8>>,
    /// The name of label `i`, at index `i`. Empty where labels are digits or their names are unknown.
    pub classes: Vec<String>,
    /// `[pixels]`: the column of each number of a row. Empty where they have no names.
    pub columns: Vec<Column>,
    /// `[count]`: the place of each row in its file, counted from 0. Empty where they are those of this data set.
    pub places: Vec<usize>,
    /// `[count]`: the name of each row. Empty where rows have none.
    pub ids: Vec<String>,
    /// `[count]`: the file of each image, relative to the data set's folder. Empty where images share a file.
    pub files: Vec<PathBuf>,
}

impl Dataset {
    /// Images `[count, height, width, channels]` of the given `[height, width, channels]`: bytes or floats, with labels `[count]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if an extent is 0, if `values` is not a whole number of images, or if the number of labels differs
    /// from the number of images.
    pub fn new(
        name: impl Into<String>,
        [height, width, channels]: [usize; 3],
        values: impl Into<Values>,
        labels: Option<Vec<u8>>,
    ) -> Result<Self> {
        let (name, values) = (name.into(), values.into());
        let pixels = height.checked_mul(width).and_then(|area| area.checked_mul(channels)).unwrap_or(0);
        if pixels == 0 {
            let got = format!("{height} x {width} x {channels}");
            return Err(Error::shape(name, "height x width x channels of at least 1 value", got));
        }
        if !values.len().is_multiple_of(pixels) {
            let expected = format!("whole images of {height} x {width} x {channels} numbers");
            return Err(Error::shape(name, expected, format!("{} numbers", values.len())));
        }
        let dataset = Self {
            name,
            height,
            width,
            channels,
            values,
            labels,
            classes: Vec::new(),
            columns: Vec::new(),
            places: Vec::new(),
            ids: Vec::new(),
            files: Vec::new(),
        };
        match &dataset.labels {
            Some(labels) if labels.len() != dataset.len() => {
                let expected = format!("{} labels, one per image", dataset.len());
                Err(Error::shape(dataset.name, expected, format!("{} labels", labels.len())))
            }
            _ => Ok(dataset),
        }
    }

    /// The same with names for its labels: `classes[i]` is the name of label `i`. No names at all fit any labels.
    ///
    /// # Errors
    /// [`Error::Shape`] if some labels have names and one has none.
    pub fn with_classes<S: Into<String>>(mut self, classes: impl IntoIterator<Item = S>) -> Result<Self> {
        self.classes = classes.into_iter().map(Into::into).collect();
        let count = self.classes.len();
        let unnamed = |most: &&u8| count > 0 && usize::from(**most) >= count;
        match self.labels.iter().flatten().max().filter(unnamed) {
            None => Ok(self),
            Some(most) => {
                Err(Error::shape(self.name, format!("labels below {count}, the number of its classes"), most))
            }
        }
    }

    /// The same with the file of each image.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of files differs from the number of images.
    pub fn with_files(mut self, files: Vec<PathBuf>) -> Result<Self> {
        if files.len() != self.len() {
            let expected = format!("{} files, one per image", self.len());
            return Err(Error::shape(self.name, expected, files.len()));
        }
        self.files = files;
        Ok(self)
    }

    /// The name of a label: its class, or its number if it has no name.
    pub fn class(&self, label: u8) -> String {
        self.classes.get(usize::from(label)).cloned().unwrap_or_else(|| label.to_string())
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.values.len() / self.pixels()
    }

    /// What its items are called.
    pub const fn items(&self) -> Items {
        Items::of([self.height, self.width, self.channels])
    }

    /// Whether there are no images, as in a validation part of 0.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Height, width and channels of an image.
    pub fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.channels]
    }

    /// Numbers of an image: `height * width * channels`.
    pub fn pixels(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// A copy of the bytes of all images; empty where they are floats.
    pub fn bytes(&self) -> Vec<u8> {
        self.values.bytes().map(|bytes| bytes.joined().into_owned()).unwrap_or_default()
    }

    /// All images as floats, `[count, height, width, channels]`; of bytes in [0, 1].
    pub fn floats(&self) -> Vec<f32> {
        self.values.iter().collect()
    }

    /// The columns in which all rows have the same number.
    pub fn constant_columns(&self) -> Vec<usize> {
        let mut first = Vec::new();
        let mut same: Vec<usize> = (0..self.pixels()).collect();
        self.values.for_each_row(self.pixels(), |row| {
            if first.is_empty() {
                first = row.to_vec();
            }
            if !same.is_empty() {
                same.retain(|column| row[*column] == first[*column]);
            }
        });
        same
    }

    /// The first images and their labels, at most `count`.
    pub fn first(&self, count: usize) -> Result<Self> {
        self.slice(0..count.min(self.len()))
    }

    /// The images in `range` and their labels.
    ///
    /// # Errors
    /// [`Error::Shape`] if `range` reaches past the last image or ends before it begins.
    pub fn slice(&self, range: Range<usize>) -> Result<Self> {
        if range.start > range.end || range.end > self.len() {
            let expected = format!("a range in 0..{}", self.len());
            return Err(Error::shape(format!("slice of {}", self.name), expected, format!("{range:?}")));
        }
        Ok(Self {
            name: self.name.clone(),
            values: self.values.slice(range.start * self.pixels()..range.end * self.pixels()),
            labels: self.labels.as_ref().map(|labels| labels[range.clone()].to_vec()),
            classes: self.classes.clone(),
            columns: self.columns.clone(),
            places: self.places.get(range.clone()).map(<[usize]>::to_vec).unwrap_or_default(),
            ids: self.ids.get(range.clone()).map(<[String]>::to_vec).unwrap_or_default(),
            files: self.files.get(range).map(<[PathBuf]>::to_vec).unwrap_or_default(),
            ..*self
        })
    }

    /// The images at these places, in this order.
    ///
    /// # Errors
    /// [`Error::Shape`] for a place that is not there.
    pub fn at(&self, places: &[usize]) -> Result<Self> {
        match places.iter().find(|place| **place >= self.len()) {
            Some(place) => Err(Error::shape(&*self.name, format!("places below {}", self.len()), place)),
            None => Ok(self.chosen(places)),
        }
    }

    /// The images at these places, each below `len()`, in this order.
    pub(super) fn chosen(&self, places: &[usize]) -> Self {
        let of = |labels: &Vec<u8>| places.iter().map(|place| labels[*place]).collect();
        Self {
            name: self.name.clone(),
            values: self.values.chosen(self.pixels(), places),
            labels: self.labels.as_ref().map(of),
            classes: self.classes.clone(),
            columns: self.columns.clone(),
            places: places.iter().filter_map(|place| self.places.get(*place).copied()).collect(),
            ids: places.iter().filter_map(|place| self.ids.get(*place).cloned()).collect(),
            files: places.iter().filter_map(|place| self.files.get(*place).cloned()).collect(),
            ..*self
        }
    }

    /// This and another part of one data set, one after another.
    pub(super) fn followed_by(mut self, mut part: Self) -> Self {
        let count = self.len() + part.len();
        if !(self.places.is_empty() && part.places.is_empty()) {
            self.note_places(0);
            part.note_places(0);
        }
        self.places.append(&mut part.places);
        self.values.append(part.values);
        self.labels = self.labels.zip(part.labels).map(|(labels, more)| [labels, more].concat());
        // Names of some rows alone would stand beside others.
        let both = |names: usize| if names == count { count } else { 0 };
        self.files.extend(part.files);
        self.files.truncate(both(self.files.len()));
        self.ids.extend(part.ids);
        self.ids.truncate(both(self.ids.len()));
        self
    }

    /// Takes the last `count` images out.
    pub(super) fn split_last(&mut self, count: usize) -> Self {
        let (first, pixels) = (self.len() - count, self.pixels());
        let last = self.values.slice(first * pixels..self.values.len());
        self.values = self.values.slice(0..first * pixels);
        Self {
            name: self.name.clone(),
            values: last,
            labels: self.labels.as_mut().map(|labels| labels.split_off(first)),
            classes: self.classes.clone(),
            columns: self.columns.clone(),
            places: self.places.split_off(first.min(self.places.len())),
            ids: self.ids.split_off(first.min(self.ids.len())),
            files: self.files.split_off(first.min(self.files.len())),
            ..*self
        }
    }
}

/// Notes about the loading of a data set. The library never prints; the command line does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadReport {
    /// The files that were left out, each with the reason.
    pub left_out: Vec<(PathBuf, String)>,
    /// The number of files found, those left out included.
    pub files: usize,
    /// Other remarks, one sentence each.
    pub remarks: Vec<String>,
}

/// A data set as training sees it. All three parts have images of one size.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Split {
    /// The images that the weights are fitted to.
    pub train: Dataset,
    /// The images for the choice of settings. May be empty.
    pub validation: Dataset,
    /// The images for the final evaluation.
    pub test: Dataset,
    /// Those of the parts that were drawn from the training part's items.
    pub drawn: Vec<Part>,
    /// Notes about the loading.
    pub report: LoadReport,
}

impl Split {
    /// Splits the last `validation` images off `train`; by default a tenth of them, at most 5,000.
    ///
    /// # Errors
    /// [`Error::Setting`] if `validation` leaves nothing to train on, [`Error::Shape`] if `train` and `test`
    /// have images of different sizes.
    pub fn new(mut train: Dataset, test: Dataset, validation: Option<usize>) -> Result<Self> {
        let size = |set: &Dataset| Items::shaped(set.shape());
        if size(&train) != size(&test) {
            return Err(Error::shape(format!("test part of {}", test.name), size(&train), size(&test)));
        }
        let count = validation.unwrap_or((train.len() / 10).min(MOST_VALIDATION));
        if count >= train.len() {
            let expected = format!("fewer than the {} training images of {}", train.len(), train.name);
            return Err(Error::setting("validation", expected, count));
        }
        let validation = train.split_last(count);
        Ok(Self { train, validation, test, drawn: Vec::new(), report: LoadReport::default() })
    }

    /// The images to show and to evaluate during training: the validation images, or the training images if there
    /// are none.
    pub fn held_out(&self) -> &Dataset {
        if self.validation.is_empty() { &self.train } else { &self.validation }
    }

    /// What those are, in a sentence.
    pub fn held_out_name(&self) -> &'static str {
        if self.validation.is_empty() { "the training part" } else { "the validation part" }
    }
}
