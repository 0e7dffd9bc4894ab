//! NumPy's `.npy` files: images or rows of numbers, and their labels.
//!
//! An array is `[n, height, width]`, `[n, height, width, channels]` with 1 or 3 channels, or `[n, d]`, which is n rows
//! of d numbers. Bytes (`uint8`) are taken as they are, except that a mask of 0 and 1 becomes 0 and 255, as booleans do.
//! Every other real type (floats of 16, 32 and 64 bits, whole numbers of 8 to 64) becomes the nearest 32-bit floats, which
//! must be finite. Any byte order, C or Fortran order. Labels are whole numbers from 0 to 255, `[n]`.
//!
//! The crate `npyz` reads headers and values. It trusts a header, so the length of the header, its brackets, its digits
//! and the length of the file are checked before: a file cannot take more memory than its own size.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use half::f16;
use npyz::{DType, Deserialize, NpyFile, NpyHeader, Order, TypeChar};

use super::origin::{Origin, open};
use super::{Dataset, Parts, Values};
use crate::{Error, Result};

const MAGIC: &[u8] = b"\x93NUMPY";
// The longest header, in bytes. NumPy's own headers of plain arrays have 118.
const LONGEST: usize = 1024;
// Values in one file.
const MOST: u64 = 1 << 31;

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
    decode(
        name,
        array(images, ".npy images")?,
        labels.map(|labels| array(labels, ".npy labels")).transpose()?,
    )
}

fn decode<R: Read>(name: &str, array: Array<'_, R>, labels: Option<Array<'_, R>>) -> Result<Dataset> {
    let ty = array.plain_type("numbers or bool", |(kind, size)| match kind {
        TypeChar::Float => matches!(size, 2 | 4 | 8),
        kind => matches!(kind, TypeChar::Int | TypeChar::Uint | TypeChar::Bool),
    })?;
    let (count, extents) = array.image_extents()?;
    let values: Values = match ty {
        (TypeChar::Uint, 1) => as_mask(array.convert(|byte: u8| Some(byte))?).into(),
        (TypeChar::Bool, _) => array.convert(|value: bool| Some(255 * u8::from(value)))?.into(),
        (TypeChar::Float, 2) => array.floats::<f16>(f16::to_f64)?,
        (TypeChar::Float, 4) => array.floats::<f32>(f64::from)?,
        (TypeChar::Float, _) => array.floats::<f64>(|x| x)?,
        (TypeChar::Int, 1) => array.floats::<i8>(f64::from)?,
        (TypeChar::Int, 2) => array.floats::<i16>(f64::from)?,
        (TypeChar::Int, 4) => array.floats::<i32>(f64::from)?,
        (TypeChar::Int, _) => array.floats::<i64>(|x| x as f64)?,
        (_, 2) => array.floats::<u16>(f64::from)?,
        (_, 4) => array.floats::<u32>(f64::from)?,
        _ => array.floats::<u64>(|x| x as f64)?,
    };
    let labels = labels.map(|labels| read_labels(labels, count)).transpose()?;
    Dataset::new(name, extents, values, labels)
}

// Bytes of 0 and 1 alone are black and white, as those of a bool are.
fn as_mask(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.iter().all(|byte| *byte <= 1) {
        bytes.iter_mut().for_each(|byte| *byte *= 255);
    }
    bytes
}

/// The parts at `path`. A folder has `train.npy` and may have `val.npy` (or `valid`, `validation`) and `test.npy`; a
/// single array is a training part.
///
/// The labels of `NAME.npy` are in `NAME-labels.npy` next to it or, if there is only one array, in `labels.npy`. They
/// are optional.
///
/// # Errors
/// As [`read`], and [`Error::File`] if the folder has no `train.npy`.
pub fn read_parts(path: &Path) -> Result<Parts> {
    let name = path.file_stem().map_or_else(|| "npy".into(), |stem| stem.to_string_lossy());
    let part = |names: &[&str]| {
        let files = names.iter().map(|name| path.join(format!("{name}.npy")));
        files.into_iter().find(|file| path.is_dir() && file.is_file())
    };
    let [held_out, test] = [&["val", "valid", "validation"][..], &["test"]].map(part);
    let Some(train) = (if path.is_dir() { part(&["train"]) } else { Some(path.to_owned()) }) else {
        let (expected, found) = ("a file train.npy".to_owned(), "none".to_owned());
        return Err(Error::File { path: path.to_owned(), expected, found });
    };
    let alone = held_out.is_none() && test.is_none();
    let read = |images: &PathBuf| read(&name, images, labels_of(images, alone).as_deref());
    let [held_out, test] = [held_out, test].map(|file| file.as_ref().map(read).transpose());
    Ok(Parts { validation: held_out?, test: test?, ..Parts::new(read(&train)?) })
}

fn labels_of(images: &Path, alone: bool) -> Option<PathBuf> {
    let stem = images.file_stem()?.to_string_lossy();
    let own = images.with_file_name(format!("{stem}-labels.npy"));
    let common = images.with_file_name("labels.npy");
    [Some(own), alone.then_some(common)].into_iter().flatten().find(|path| path.is_file())
}

fn read_labels<R: Read>(array: Array<'_, R>, images: usize) -> Result<Vec<u8>> {
    let ty = array.plain_type("whole numbers", |(kind, _)| matches!(kind, TypeChar::Int | TypeChar::Uint))?;
    let count = match array.header.shape() {
        [count] | [count, 1] => *count,
        _ => return Err(array.wrong(format!("labels [{images}]"), array.description())),
    };
    if count != images as u64 {
        return Err(array.wrong(format!("{images} labels, one per image"), format!("{count} labels")));
    }
    match ty {
        (TypeChar::Int, 1) => array.labels::<i8>(),
        (TypeChar::Int, 2) => array.labels::<i16>(),
        (TypeChar::Int, 4) => array.labels::<i32>(),
        (TypeChar::Int, _) => array.labels::<i64>(),
        (_, 1) => array.labels::<u8>(),
        (_, 2) => array.labels::<u16>(),
        (_, 4) => array.labels::<u32>(),
        _ => array.labels::<u64>(),
    }
}

/// An array after its header was read.
struct Array<'a, R> {
    origin: Origin<'a>,
    header: NpyHeader,
    // Bytes after the header.
    length: u64,
    reader: R,
}

impl<'a> Array<'a, BufReader<File>> {
    fn open(path: &'a Path) -> Result<Self> {
        let (file, length) = open(path, "a .npy file")?;
        Self::new(BufReader::new(file), length, Origin::File(path))
    }
}

impl<'a, R: Read> Array<'a, R> {
    fn new(mut reader: R, length: u64, origin: Origin<'a>) -> Result<Self> {
        let (header, end) = read_header(&mut reader, origin)?;
        Ok(Self { origin, header, length: length.saturating_sub(end), reader })
    }

    fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        self.origin.wrong(expected, found)
    }

    /// As in `[60000, 28, 28] of <f4`.
    fn description(&self) -> String {
        match self.header.dtype() {
            DType::Plain(ty) => format!("{:?} of {ty}", self.header.shape()),
            other => format!("{:?} of {}", self.header.shape(), other.descr()),
        }
    }

    /// The kind of the values and their size in bytes, if `fits` accepts them.
    fn plain_type(&self, expected: &str, fits: fn((TypeChar, u64)) -> bool) -> Result<(TypeChar, u64)> {
        match self.header.dtype() {
            DType::Plain(ty) if fits((ty.type_char(), ty.size_field())) => {
                Ok((ty.type_char(), ty.size_field()))
            }
            _ => {
                let found = format!("{}; convert it with .astype", self.description());
                Err(self.wrong(format!("an array of {expected}"), found))
            }
        }
    }

    /// How many images, and their height, width and channels.
    fn image_extents(&self) -> Result<(usize, [usize; 3])> {
        let expected = "images [n, height, width], [n, height, width, 1 or 3] or [n, d]";
        let extents = match *self.header.shape() {
            [count, width] => [count, 1, width, 1],
            [count, height, width] => [count, height, width, 1],
            [count, height, width, channels @ (1 | 3)] => [count, height, width, channels],
            [_, 1 | 3, _, _] => {
                let found = format!("{}; transpose it (0, 2, 3, 1)", self.description());
                return Err(self.wrong(expected, found));
            }
            _ => return Err(self.wrong(expected, self.description())),
        };
        let values = extents.iter().try_fold(1_u64, |values, extent| values.checked_mul(*extent));
        match values {
            Some(0) => Err(self.wrong("at least one image of at least one pixel", self.description())),
            Some(values) if values <= MOST => {
                let [count, height, width, channels] = extents.map(|extent| extent as usize);
                Ok((count, [height, width, channels]))
            }
            _ => Err(self.wrong(format!("at most {MOST} values"), self.description())),
        }
    }

    /// All numbers in C order, the nearest 32-bit floats.
    fn floats<T: Deserialize + ToString + Copy>(self, double: fn(T) -> f64) -> Result<Values> {
        let finite = move |value: T| Some(double(value) as f32).filter(|value| value.is_finite());
        Ok(Values::Floats(self.convert_to("finite numbers below 3.4e38, as by np.nan_to_num", finite)?))
    }

    fn convert<T: Deserialize + ToString + Copy>(self, convert: fn(T) -> Option<u8>) -> Result<Vec<u8>> {
        self.convert_to("bytes", convert)
    }

    /// All values in C order. `convert` gives None for a value that is not `expected`.
    fn convert_to<T: Deserialize + ToString + Copy, N: Copy>(
        self,
        expected: &str,
        convert: impl Fn(T) -> Option<N>,
    ) -> Result<Vec<N>> {
        let size = self.header.dtype().num_bytes().unwrap_or(0) as u64;
        let whole = self.header.len() * size;
        if self.length != whole {
            let short = self.length < whole;
            let found = if short { format!("{} bytes", self.length) } else { "more bytes after them".into() };
            return Err(self.wrong(format!("{whole} bytes after the header, {}", self.description()), found));
        }
        let Self { origin, header, reader, .. } = self;
        let values = NpyFile::with_header(header.clone(), reader).data::<T>();
        let values = values.map_err(|error| origin.wrong(expected, error.to_string()))?;
        let mut numbers = Vec::with_capacity(header.len() as usize);
        for value in values {
            let value = value.map_err(|error| origin.unread(error))?;
            let number = convert(value).ok_or_else(|| {
                let place = place(&header, numbers.len() as u64);
                origin.wrong(expected, format!("{} at {place:?}", value.to_string()))
            })?;
            numbers.push(number);
        }
        Ok(if header.order() == Order::Fortran { c_order(&numbers, &header) } else { numbers })
    }

    fn labels<T: Deserialize + ToString + Copy>(self) -> Result<Vec<u8>>
    where
        u8: TryFrom<T>,
    {
        self.convert_to("labels from 0 to 255", |value: T| u8::try_from(value).ok())
    }
}

// The indices of the value that is stored as number `at`.
fn place(header: &NpyHeader, at: u64) -> Vec<u64> {
    let axes = header.shape().iter().zip(header.strides());
    axes.map(|(extent, stride)| at / stride % extent).collect()
}

// From Fortran order, where the first index runs fastest, to C order, where the last does.
fn c_order<N: Copy>(numbers: &[N], header: &NpyHeader) -> Vec<N> {
    let from = |mut at: u64| {
        let axes = header.shape().iter().zip(header.strides()).rev();
        let offsets = axes.map(|(extent, stride)| {
            let index = at % extent;
            at /= extent;
            index * stride
        });
        offsets.sum::<u64>() as usize
    };
    (0..numbers.len() as u64).map(|at| numbers[from(at)]).collect()
}

// The header and its length in bytes. Leaves the reader at the first value.
fn read_header(reader: &mut impl Read, origin: Origin<'_>) -> Result<(NpyHeader, u64)> {
    let mut start = Vec::new();
    let mut more = |start: &mut Vec<u8>, count: usize| {
        let read = reader.by_ref().take(count as u64).read_to_end(start);
        read.map_err(|error| origin.unread(error))
    };
    more(&mut start, MAGIC.len() + 2)?;
    if !start.starts_with(MAGIC) {
        let found = match &start[..start.len().min(2)] {
            b"" => "an empty file",
            b"PK" => "a ZIP or .npz archive; save the array by itself with np.save",
            _ => "a file of another kind",
        };
        return Err(origin.wrong("a .npy file", found));
    }
    let width = match start.get(MAGIC.len()) {
        Some(1) | None => 2,
        Some(2 | 3) => 4,
        Some(version) => return Err(origin.wrong("version 1, 2 or 3 of the format", version.to_string())),
    };
    more(&mut start, width)?;
    let before = MAGIC.len() + 2 + width;
    let bytes = start.iter().skip(MAGIC.len() + 2).rev();
    let length = bytes.fold(0, |length, byte| length << 8 | usize::from(*byte));
    if length > LONGEST {
        return Err(origin.wrong(format!("a header of at most {LONGEST} bytes"), format!("{length} bytes")));
    }
    more(&mut start, length)?;
    if start.len() < before + length {
        let found = format!("a file that ends in it, after {} bytes", start.len());
        return Err(origin.wrong("a whole header", found));
    }
    let text = String::from_utf8_lossy(&start[before..]);
    let count = |wanted: fn(char) -> bool| text.matches(wanted).count();
    // A dictionary with a tuple has two brackets. More could cost the parser unbounded stack and time. Extents with more
    // digits, or hexadecimal ones, could have a product above 64 bits. Plain arrays need no escapes.
    let safe = count(|c| "([{".contains(c)) <= 2
        && count(|c| c.is_ascii_digit()) <= 19
        && !text.contains(['x', 'X', '\\']);
    // Python 2 wrote an L after some numbers.
    let plain = text.replace("L,", ",").replace("L)", ")");
    let plain = [MAGIC, &[1, 0], &(plain.len() as u16).to_le_bytes(), plain.as_bytes()].concat();
    let header = if safe { NpyHeader::from_reader(&plain[..]).ok() } else { None };
    let header = header.ok_or_else(|| {
        let shown: String = text.trim().chars().take(80).collect();
        let expected = format!(
            "a header that gives 'descr' (of a plain type), 'fortran_order' and 'shape' (at most {MOST} values)"
        );
        origin.wrong(expected, format!("{shown:?}"))
    })?;
    Ok((header, start.len() as u64))
}
