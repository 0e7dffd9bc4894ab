//! Images in memory as bytes, and their division into training, validation and test parts.

use std::ops::Range;
use std::path::PathBuf;

use crate::{Error, Result};

/// The most validation images by default: a tenth of the training images, but no more than these.
const MOST_VALIDATION: usize = 5_000;

/// Images of one size, with or without labels.
///
/// The fields are public for reading. [`Dataset::new`] checks that they fit each other, and every method relies on it.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// `[count, height, width, channels]`; a byte `x` in `0..=255` means `x / 255`.
    pub images: Vec<u8>,
    /// `[count]`: the class of each image.
    pub labels: Option<Vec<u8>>,
    /// The name of label `i`, at index `i`. Empty where labels are digits or their names are unknown.
    pub classes: Vec<String>,
    /// `[count]`: the file of each image, relative to the data set's folder. Empty where images share a file.
    pub files: Vec<PathBuf>,
}

impl Dataset {
    /// Images `[count, height, width, channels]` of the given `[height, width, channels]`, with labels `[count]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if an extent is 0, if `images` is not a whole number of images, or if the number of labels differs
    /// from the number of images.
    pub fn new(
        name: impl Into<String>,
        [height, width, channels]: [usize; 3],
        images: Vec<u8>,
        labels: Option<Vec<u8>>,
    ) -> Result<Self> {
        let name = name.into();
        let pixels = height.checked_mul(width).and_then(|area| area.checked_mul(channels)).unwrap_or(0);
        if pixels == 0 {
            let got = format!("{height} x {width} x {channels}");
            return Err(Error::shape(name, "height x width x channels of at least 1 value", got));
        }
        if !images.len().is_multiple_of(pixels) {
            let expected = format!("whole images of {height} x {width} x {channels} bytes");
            return Err(Error::shape(name, expected, format!("{} bytes", images.len())));
        }
        let (classes, files) = (Vec::new(), Vec::new());
        let dataset = Self { name, height, width, channels, images, labels, classes, files };
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
        self.images.len() / self.pixels()
    }

    /// Whether there are no images, as in a validation part of 0.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Height, width and channels of an image.
    pub fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.channels]
    }

    /// Bytes of an image: `height * width * channels`.
    pub fn pixels(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// All images as numbers in [0, 1], `[count, height, width, channels]`.
    pub fn values(&self) -> Vec<f32> {
        self.images.iter().map(|byte| f32::from(*byte) / 255.0).collect()
    }

    /// Image `i`, `[height, width, channels]`.
    ///
    /// # Panics
    /// If `i >= len()`, as a slice does.
    pub fn image(&self, i: usize) -> &[u8] {
        &self.images[i * self.pixels()..][..self.pixels()]
    }

    /// The CRC-32 of all images' bytes: it distinguishes data sets of one size.
    pub fn checksum(&self) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(&self.images);
        crc.sum()
    }

    /// A copy of the first images and their labels, at most `count`.
    pub fn first(&self, count: usize) -> Result<Self> {
        self.slice(0..count.min(self.len()))
    }

    /// A copy of the images in `range` and their labels.
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
            images: self.images[range.start * self.pixels()..range.end * self.pixels()].to_vec(),
            labels: self.labels.as_ref().map(|labels| labels[range.clone()].to_vec()),
            classes: self.classes.clone(),
            files: self.files.get(range).map(<[PathBuf]>::to_vec).unwrap_or_default(),
            ..*self
        })
    }

    /// Moves the last `count` images out, so that a large set is not in memory twice.
    pub(super) fn split_last(&mut self, count: usize) -> Self {
        let first = self.len() - count;
        Self {
            name: self.name.clone(),
            images: self.images.split_off(first * self.pixels()),
            labels: self.labels.as_mut().map(|labels| labels.split_off(first)),
            classes: self.classes.clone(),
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
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Split {
    /// The images that the weights are fitted to.
    pub train: Dataset,
    /// The last images of the training file, for the choice of settings. May be empty.
    pub validation: Dataset,
    /// The images for the final evaluation.
    pub test: Dataset,
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
        let size = |set: &Dataset| format!("images of {} x {} x {}", set.height, set.width, set.channels);
        if size(&train) != size(&test) {
            return Err(Error::shape(format!("test part of {}", test.name), size(&train), size(&test)));
        }
        let count = validation.unwrap_or((train.len() / 10).min(MOST_VALIDATION));
        if count >= train.len() {
            let expected = format!("fewer than the {} training images of {}", train.len(), train.name);
            return Err(Error::setting("validation", expected, count));
        }
        let validation = train.split_last(count);
        Ok(Self { train, validation, test, report: LoadReport::default() })
    }

    /// The images to show and to evaluate during training: the validation images, or the training images if there
    /// are none.
    pub fn held_out(&self) -> &Dataset {
        if self.validation.is_empty() { &self.train } else { &self.validation }
    }
}
