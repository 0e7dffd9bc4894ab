//! One array: its type, its extents, and its numbers in C order.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use half::f16;
use memmap2::Mmap;
use npyz::{DType, Deserialize, Endianness, NpyFile, NpyHeader, Order, TypeChar};
use rayon::prelude::*;

use super::Layout;
use super::header::read_header;
use crate::data::numbers::map;
use crate::data::origin::{Origin, open};
use crate::data::{Numbers, Values};
use crate::{Error, Result};

/// Values in one array.
pub(super) const MOST: u64 = 1 << 31;
// Bytes of a file that is mapped rather than read.
const LARGE: u64 = 64 << 20;
// The channels that a picture may have.
const CHANNELS: std::ops::RangeInclusive<u64> = 1..=4;

/// An array after its header was read.
pub(super) struct Array<'a, R> {
    origin: Origin<'a>,
    header: NpyHeader,
    // Bytes after the header.
    length: u64,
    reader: R,
    // The whole file, where it is large.
    map: Option<Arc<Mmap>>,
}

/// The images of an array as its header describes them.
struct Images {
    /// Height, width and channels.
    extents: [usize; 3],
    /// Whether each lies in memory as `[channels, height, width]`.
    channels_first: bool,
}

impl<'a> Array<'a, BufReader<File>> {
    pub(super) fn open(path: &'a Path) -> Result<Self> {
        let (file, length) = open(path, "a .npy file")?;
        // A file that cannot be mapped can be read.
        let map = if length < LARGE { None } else { map(&file).ok() };
        Ok(Self { map, ..Self::new(BufReader::new(file), length, Origin::File(path))? })
    }
}

impl<'a, R: Read> Array<'a, R> {
    pub(super) fn new(mut reader: R, length: u64, origin: Origin<'a>) -> Result<Self> {
        let (header, end) = read_header(&mut reader, origin)?;
        Ok(Self { origin, header, length: length.saturating_sub(end), reader, map: None })
    }

    pub(super) fn wrong(&self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        self.origin.wrong(expected, found)
    }

    /// As in `[60000, 28, 28] of <f4`.
    pub(super) fn description(&self) -> String {
        match self.header.dtype() {
            DType::Plain(ty) => format!("{:?} of {ty}", self.shape()),
            other => format!("{:?} of {}", self.shape(), other.descr()),
        }
    }

    pub(super) fn shape(&self) -> &[u64] {
        self.header.shape()
    }

    /// The kind of the values and their size in bytes; None for records.
    pub(super) fn plain_type(&self) -> Option<(TypeChar, u64)> {
        match self.header.dtype() {
            DType::Plain(ty) => Some((ty.type_char(), ty.size_field())),
            _ => None,
        }
    }

    /// Height, width and channels of its images, and their numbers, `[n, height, width, channels]`. A remark says what was
    /// seen in its shape.
    pub(super) fn images(
        self,
        layout: Option<Layout>,
        remarks: &mut Vec<String>,
    ) -> Result<([usize; 3], Values)> {
        let Images { extents, channels_first } = self.extents(layout)?;
        if channels_first && layout.is_none() {
            remarks.push(format!("{:?} is taken as [n, channels, height, width]", self.shape()));
        }
        let values = self.numbers()?;
        Ok((extents, if channels_first { values.channels_last(extents) } else { values }))
    }

    fn numbers(self) -> Result<Values> {
        if let Some(values) = self.mapped() {
            return Ok(values);
        }
        let Some(ty) = self.plain_type() else { return Err(self.no_numbers()) };
        Ok(match ty {
            (TypeChar::Uint, 1) => as_mask(self.convert("bytes", |byte: u8| Ok(byte))?).into(),
            (TypeChar::Bool, _) => self.convert("bool", |value: bool| Ok(255 * u8::from(value)))?.into(),
            (TypeChar::Float, 2) => self.floats::<f16>(f16::to_f64)?,
            (TypeChar::Float, 4) => self.floats::<f32>(f64::from)?,
            (TypeChar::Float, 8) => self.floats::<f64>(|x| x)?,
            (TypeChar::Int, 1) => self.floats::<i8>(f64::from)?,
            (TypeChar::Int, 2) => self.floats::<i16>(f64::from)?,
            (TypeChar::Int, 4) => self.floats::<i32>(f64::from)?,
            (TypeChar::Int, 8) => self.floats::<i64>(|x| x as f64)?,
            (TypeChar::Uint, 2) => self.floats::<u16>(f64::from)?,
            (TypeChar::Uint, 4) => self.floats::<u32>(f64::from)?,
            (TypeChar::Uint, 8) => self.floats::<u64>(|x| x as f64)?,
            _ => return Err(self.no_numbers()),
        })
    }

    // As they lie in a large file, where nothing is to be converted.
    fn mapped(&self) -> Option<Values> {
        let map = self.map.as_ref()?;
        let DType::Plain(ty) = self.header.dtype() else { return None };
        let whole = self.header.len().checked_mul(ty.size_field())?;
        if self.header.order() != Order::C || self.length != whole {
            return None;
        }
        let begin = map.len().checked_sub(usize::try_from(whole).ok()?)?;
        match (ty.type_char(), ty.size_field(), ty.endianness()) {
            // Of a mask other bytes are made.
            (TypeChar::Uint, 1, _) => Numbers::mapped(map, begin..map.len())
                .filter(|bytes| bytes.iter().any(|byte| byte > 1))
                .map(Values::Bytes),
            // What is not finite is told of with its place.
            (TypeChar::Float, 4, Endianness::Little) if cfg!(target_endian = "little") => {
                let finite =
                    |floats: &Numbers<f32>| floats.joined().par_iter().all(|float| float.is_finite());
                Numbers::mapped(map, begin..map.len()).filter(finite).map(Values::Floats)
            }
            _ => None,
        }
    }

    fn no_numbers(&self) -> Error {
        let found = format!("{}; convert it with .astype", self.description());
        self.wrong("an array of numbers or bool", found)
    }

    fn extents(&self, layout: Option<Layout>) -> Result<Images> {
        let expected = "images [n, height, width], [n, height, width, 1 to 4 channels], [n, channels, height, width] or rows [n, d]";
        let shape = self.shape();
        let channels_first = match (shape, layout) {
            ([_, _, _, _], Some(layout)) => layout == Layout::Nchw,
            ([_, first, _, last], None) => CHANNELS.contains(first) && !CHANNELS.contains(last),
            (_, Some(_)) => {
                let got = self.description();
                return Err(Error::setting("layout", "an array of four dimensions with it", got));
            }
            _ => false,
        };
        let extents = match *shape {
            [count, width] => [count, 1, width, 1],
            [count, height, width] => [count, height, width, 1],
            [count, channels, height, width] if channels_first => [count, height, width, channels],
            [count, height, width, channels] => [count, height, width, channels],
            [count] => {
                let found = format!(
                    "{}; make one row of it with .reshape(1, {count}), or {count} rows of one number with .reshape({count}, 1)",
                    self.description()
                );
                return Err(self.wrong(expected, found));
            }
            _ => {
                let found = format!("{}; make rows of it with .reshape(len(x), -1)", self.description());
                return Err(self.wrong(expected, found));
            }
        };
        if !CHANNELS.contains(&extents[3]) && !extents.contains(&0) {
            let found = format!("{}; make rows of it with .reshape(len(x), -1)", self.description());
            return Err(self.wrong(expected, found));
        }
        let values = extents.iter().try_fold(1_u64, |values, extent| values.checked_mul(*extent));
        match values {
            Some(0) if shape.len() == 2 => {
                Err(self.wrong("at least one row of at least one column", self.description()))
            }
            Some(0) => Err(self.wrong("at least one image of at least one pixel", self.description())),
            Some(values) if values <= MOST => {
                let [_, height, width, channels] = extents.map(|extent| extent as usize);
                Ok(Images { extents: [height, width, channels], channels_first })
            }
            _ => Err(self.wrong(format!("at most {MOST} values"), self.description())),
        }
    }

    /// All numbers in C order, the nearest 32-bit floats.
    fn floats<T: Deserialize + ToString + Copy>(self, double: fn(T) -> f64) -> Result<Values> {
        let finite = |value: T| {
            let float = double(value) as f32;
            if float.is_finite() { Ok(float) } else { Err(value.to_string()) }
        };
        Ok(Values::from(self.convert("finite numbers below 3.4e38, as by np.nan_to_num", finite)?))
    }

    /// All values in C order. `convert` gives the text of a value that is not `expected`.
    pub(super) fn convert<T: Deserialize, N: Clone>(
        self,
        expected: &str,
        convert: impl Fn(T) -> Result<N, String>,
    ) -> Result<Vec<N>> {
        let size = self.header.dtype().num_bytes().unwrap_or(0) as u64;
        let whole = self.header.len().saturating_mul(size);
        if self.length != whole {
            let short = self.length < whole;
            let found = if short { format!("{} bytes", self.length) } else { "more bytes after them".into() };
            return Err(self.wrong(format!("{whole} bytes after the header, {}", self.description()), found));
        }
        let Self { origin, header, mut reader, .. } = self;
        let values = NpyFile::with_header(header.clone(), &mut reader).data::<T>();
        let values = values.map_err(|error| origin.wrong(expected, error.to_string()))?;
        let (mut numbers, count) = (Vec::new(), header.len() as usize);
        let room = numbers.try_reserve_exact(count);
        room.map_err(|error| origin.wrong("an array that fits into memory", error.to_string()))?;
        for value in values {
            let value = value.map_err(|error| origin.unread(error))?;
            let number = convert(value).map_err(|text| {
                let place = place(&header, numbers.len() as u64);
                origin.wrong(expected, format!("{text} at {place:?}"))
            })?;
            numbers.push(number);
        }
        // An archive compares its checksum at the end.
        reader.read(&mut [0]).map_err(|error| origin.unread(error))?;
        Ok(if header.order() == Order::Fortran { c_order(&numbers, &header) } else { numbers })
    }
}

// Bytes of 0 and 1 alone are black and white, as those of a bool are.
fn as_mask(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.iter().all(|byte| *byte <= 1) {
        bytes.iter_mut().for_each(|byte| *byte *= 255);
    }
    bytes
}

// The indices of the value that is stored as number `at`.
fn place(header: &NpyHeader, at: u64) -> Vec<u64> {
    let axes = header.shape().iter().zip(header.strides());
    axes.map(|(extent, stride)| at / stride % extent).collect()
}

// From Fortran order, where the first index runs fastest, to C order, where the last does.
fn c_order<N: Clone>(numbers: &[N], header: &NpyHeader) -> Vec<N> {
    let from = |mut at: u64| {
        let axes = header.shape().iter().zip(header.strides()).rev();
        let offsets = axes.map(|(extent, stride)| {
            let index = at % extent;
            at /= extent;
            index * stride
        });
        offsets.sum::<u64>() as usize
    };
    (0..numbers.len() as u64).map(|at| numbers[from(at)].clone()).collect()
}
