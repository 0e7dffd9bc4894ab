//! NumPy's `.npy` files: images as bytes, or as numbers from 0 to 1, and their labels.
//!
//! An array is `[n, height, width]`, `[n, height, width, channels]` with 1 or 3 channels, or `[n, d]`, which is n images
//! of one row. Bytes (`uint8`) are taken as they are. Truth values become 0 and 255. Floats (`float32`, `float64`) must
//! lie in [0, 1] and become the nearest of the 256 bytes `b / 255`: what is trained on is off by at most 1/510. Any byte
//! order, C or Fortran order. Labels are whole numbers from 0 to 255, `[n]`.
//!
//! As with [IDX files](super::idx) a header is not believed: only bytes that arrive take memory.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::Dataset;
use super::npy_header::{Element, Header, Kind};
use super::origin::Origin;
use crate::{Error, Result};

// Values in one file.
const MOST: u64 = 1 << 31;
// Values that are converted at a time.
const CHUNK: usize = 1 << 14;

/// Reads an array of images and, if given, one of labels `[n]`.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read; [`Error::File`] if it is no `.npy` file, of another type or shape, claims more
/// than 2^31 values, is shorter or longer than its header says, holds a value out of range (named with its place), or if
/// there is not one label for each image.
pub fn read(name: &str, images: &Path, labels: Option<&Path>) -> Result<Dataset> {
    decode(name, Array::open(images)?, labels.map(Array::open).transpose()?)
}

/// Reads the content of such files.
///
/// # Errors
/// [`Error::Bytes`] where [`read`] has [`Error::File`].
pub fn from_bytes(name: &str, images: &[u8], labels: Option<&[u8]>) -> Result<Dataset> {
    let images = Array::new(images, Origin::Bytes(".npy images"))?;
    decode(name, images, labels.map(|labels| Array::new(labels, Origin::Bytes(".npy labels"))).transpose()?)
}

fn decode(name: &str, mut array: Array<'_>, labels: Option<Array<'_>>) -> Result<Dataset> {
    let types = [(Kind::Unsigned, 1), (Kind::Float, 4), (Kind::Float, 8), (Kind::Bool, 1)];
    array.check_type(&types, "uint8, float32, float64 or bool")?;
    let (count, extents) = array.image_extents()?;
    let pixels = array.bytes(PIXELS, pixel)?;
    let labels = labels.map(|labels| read_labels(labels, count)).transpose()?;
    Dataset::new(name, extents, pixels, labels)
}

/// The training and the test part at `path`: of a folder, `train.npy` and `test.npy`; of a folder with `train.npy` alone
/// or of a file, all but the last tenth of the array and that tenth, in the file's order.
///
/// The labels of `NAME.npy` are looked for beside it, in `NAME-labels.npy` and, for the one array of both parts, in
/// `labels.npy`.
///
/// # Errors
/// As [`read`], and [`Error::File`] where the folder has no `train.npy`.
pub fn read_parts(path: &Path) -> Result<(Dataset, Dataset)> {
    let name = path.file_stem().map_or_else(|| "npy".into(), |stem| stem.to_string_lossy());
    let (train, test) = (path.join("train.npy"), path.join("test.npy"));
    if path.is_dir() && !train.is_file() {
        let (expected, found) = ("a file train.npy".to_owned(), "none".to_owned());
        return Err(Error::File { path: path.to_owned(), expected, found });
    }
    if path.is_dir() && test.is_file() {
        let part = |images: &Path| read(&name, images, labels_of(images, false).as_deref());
        return Ok((part(&train)?, part(&test)?));
    }
    let images = if path.is_dir() { &train } else { path };
    let mut all = read(&name, images, labels_of(images, true).as_deref())?;
    let count = (all.len() / 10).max(usize::from(all.len() > 1));
    let test = all.split_last(count);
    Ok((all, test))
}

fn labels_of(images: &Path, alone: bool) -> Option<PathBuf> {
    let stem = images.file_stem()?.to_string_lossy();
    let own = images.with_file_name(format!("{stem}-labels.npy"));
    let common = images.with_file_name("labels.npy");
    [Some(own), alone.then_some(common)].into_iter().flatten().find(|path| path.is_file())
}

fn read_labels(mut array: Array<'_>, images: usize) -> Result<Vec<u8>> {
    let types = [1, 2, 4, 8].map(|size| [(Kind::Unsigned, size), (Kind::Signed, size)]).concat();
    array.check_type(&types, "whole numbers")?;
    let count = match array.header.shape[..] {
        [count] | [count, 1] => count,
        _ => return Err(array.wrong(format!("labels [{images}]"), array.header.description())),
    };
    if count != images as u64 {
        return Err(array.wrong(format!("{images} labels, one an image"), format!("{count} labels")));
    }
    array.bytes(LABELS, label)
}

/// An array whose header has been read.
struct Array<'a> {
    origin: Origin<'a>,
    header: Header,
    reader: Box<dyn Read + 'a>,
}

impl<'a> Array<'a> {
    fn open(path: &'a Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        if file.metadata().map_err(Error::io("read", path))?.is_dir() {
            return Err(Origin::File(path).wrong("a .npy file", "a folder"));
        }
        Self::new(BufReader::new(file), Origin::File(path))
    }

    fn new(mut reader: impl Read + 'a, origin: Origin<'a>) -> Result<Self> {
        let header = Header::read(&mut reader, origin)?;
        Ok(Self { origin, header, reader: Box::new(reader) })
    }

    fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        self.origin.wrong(expected, found)
    }

    fn check_type(&self, types: &[(Kind, usize)], expected: &str) -> Result<()> {
        let Element { kind, size, .. } = self.header.element;
        if types.contains(&(kind, size)) {
            return Ok(());
        }
        let found = format!("{}; convert it with .astype", self.header.description());
        Err(self.wrong(format!("an array of {expected}"), found))
    }

    /// How many images, and their height, width and channels.
    fn image_extents(&self) -> Result<(usize, [usize; 3])> {
        let expected = "images [n, height, width], [n, height, width, 1 or 3] or [n, d]";
        let extents = match self.header.shape[..] {
            [count, width] => [count, 1, width, 1],
            [count, height, width] => [count, height, width, 1],
            [count, height, width, channels @ (1 | 3)] => [count, height, width, channels],
            [_, 1 | 3, _, _] => {
                let found = format!("{}; transpose it (0, 2, 3, 1)", self.header.description());
                return Err(self.wrong(expected, found));
            }
            _ => return Err(self.wrong(expected, self.header.description())),
        };
        let values = extents.iter().try_fold(1_u64, |values, extent| values.checked_mul(*extent));
        match values {
            Some(0) => Err(self.wrong("at least one image of at least one pixel", self.header.description())),
            Some(values) if values <= MOST => {
                let [count, height, width, channels] = extents.map(|extent| extent as usize);
                Ok((count, [height, width, channels]))
            }
            _ => Err(self.wrong(format!("at most {MOST} values"), self.header.description())),
        }
    }

    /// All values in C order, each made a byte by `convert`, which gives the value back where it is none.
    fn bytes(
        &mut self,
        expected: &str,
        convert: fn(Element, &[u8]) -> Result<u8, String>,
    ) -> Result<Vec<u8>> {
        let element = self.header.element;
        let count = self.header.shape.iter().product::<u64>() as usize;
        let whole = format!("{} bytes after the header, {}", count * element.size, self.header.description());
        let mut bytes = Vec::new();
        let mut chunk = vec![0; CHUNK * element.size];
        while bytes.len() < count {
            let wanted = (count - bytes.len()).min(CHUNK) * element.size;
            let got = self.fill(&mut chunk[..wanted])?;
            for value in chunk[..got].chunks_exact(element.size) {
                let byte = convert(element, value).map_err(|value| {
                    self.wrong(expected, format!("{value} at {:?}", self.header.place(bytes.len())))
                })?;
                bytes.push(byte);
            }
            if got < wanted {
                let found = bytes.len() * element.size + got % element.size;
                return Err(self.wrong(whole, format!("{found} bytes")));
            }
        }
        if self.fill(&mut [0])? > 0 {
            return Err(self.wrong(whole, "more bytes after them"));
        }
        bytes.shrink_to_fit();
        Ok(if self.header.fortran { c_order(&bytes, &self.header.shape) } else { bytes })
    }

    // How many bytes there still were, up to the length of the buffer.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut got = 0;
        while got < buffer.len() {
            match self.reader.read(&mut buffer[got..]) {
                Ok(0) => break,
                Ok(read) => got += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.origin.unread(error)),
            }
        }
        Ok(got)
    }
}

const PIXELS: &str =
    "values in [0, 1]; scale them, as by (x - x.min()) / (x.max() - x.min()), or save bytes (uint8)";
const LABELS: &str = "labels from 0 to 255";

fn pixel(element: Element, bytes: &[u8]) -> Result<u8, String> {
    match element.kind {
        Kind::Float => {
            let value = element.float(bytes);
            let inside = (0.0..=1.0).contains(&value);
            if inside { Ok((value * 255.0).round() as u8) } else { Err(value.to_string()) }
        }
        Kind::Bool => Ok(255 * u8::from(bytes[0] != 0)),
        Kind::Unsigned | Kind::Signed => Ok(bytes[0]),
    }
}

fn label(element: Element, bytes: &[u8]) -> Result<u8, String> {
    let value = element.integer(bytes);
    u8::try_from(value).map_err(|_| value.to_string())
}

// From Fortran order, where the first index runs fastest, to C order, where the last does.
fn c_order(bytes: &[u8], shape: &[u64]) -> Vec<u8> {
    let steps = shape.iter().scan(1, |step, extent| Some(std::mem::replace(step, *step * *extent as usize)));
    let axes: Vec<(usize, usize)> = shape.iter().map(|extent| *extent as usize).zip(steps).collect();
    let from = |mut at: usize| {
        let offset = axes.iter().rev().map(|(extent, step)| {
            let index = at % extent;
            at /= extent;
            index * step
        });
        offset.sum::<usize>()
    };
    (0..bytes.len()).map(|at| bytes[from(at)]).collect()
}
