//! The header of a `.npy` file: a magic, a version, a length, and a Python dictionary with the type, order and shape
//! (NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays").
//!
//! Of Python only what NumPy writes for plain arrays is understood, in one pass: a parser of all literals would have to
//! be kept from the time and stack that nested ones can cost.

use std::io::Read;

use super::origin::Origin;
use crate::Result;

const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy's own headers of plain arrays have 118 bytes.
const LONGEST: usize = 1024;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Unsigned,
    Signed,
    Float,
}

/// How a value is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) kind: Kind,
    /// Bytes.
    pub(super) size: usize,
    big_endian: bool,
}

impl Element {
    // `<f4`: byte order, kind, bytes.
    fn parse(text: &str) -> Option<Self> {
        let (order, rest) = text.split_at_checked(1)?;
        let (kind, size) = rest.split_at_checked(1)?;
        let kind = match kind {
            "b" => Kind::Bool,
            "u" => Kind::Unsigned,
            "i" => Kind::Signed,
            "f" => Kind::Float,
            _ => return None,
        };
        let size = size.parse().ok().filter(|size| matches!(size, 1 | 2 | 4 | 8))?;
        matches!(order, "<" | ">" | "|").then_some(Self { kind, size, big_endian: order == ">" })
    }

    // The value's bits, the least significant last.
    fn bits(self, bytes: &[u8]) -> u64 {
        let shift = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, shift) } else { bytes.iter().rev().fold(0, shift) }
    }

    /// The value of a float of 4 or 8 bytes.
    pub(super) fn float(self, bytes: &[u8]) -> f64 {
        let bits = self.bits(bytes);
        if self.size == 4 { f32::from_bits(bits as u32).into() } else { f64::from_bits(bits) }
    }

    /// The value of a whole number.
    pub(super) fn integer(self, bytes: &[u8]) -> i128 {
        let bits = self.bits(bytes);
        match self.kind {
            Kind::Signed => {
                let unused = 64 - 8 * self.size as u32;
                i128::from((bits << unused) as i64 >> unused)
            }
            _ => i128::from(bits),
        }
    }
}

/// What a file says of its array.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) element: Element,
    /// Whether the first index runs fastest.
    pub(super) fortran: bool,
    pub(super) shape: Vec<u64>,
    descr: String,
}

impl Header {
    /// Leaves the reader where the values begin.
    pub(super) fn read(reader: &mut impl Read, origin: Origin<'_>) -> Result<Self> {
        let wrong = |expected: &str, found: String| origin.wrong(expected, found);
        let mut next = |count: usize| -> Result<Vec<u8>> {
            let mut bytes = Vec::new();
            let read = reader.by_ref().take(count as u64).read_to_end(&mut bytes);
            read.map_err(|error| origin.unread(error))?;
            Ok(bytes)
        };
        let magic = next(MAGIC.len() + 2)?;
        if !magic.starts_with(MAGIC) {
            let found = match &magic[..magic.len().min(2)] {
                b"" => "an empty file".to_owned(),
                b"PK" => "a ZIP or .npz archive; save the array by itself with np.save".to_owned(),
                _ => "a file of another kind".to_owned(),
            };
            return Err(wrong("a .npy file", found));
        }
        let cut =
            |found: usize| wrong("a whole header", format!("a file that ends in it, after {found} bytes"));
        let length = match magic.get(6) {
            Some(1) => next(2)?,
            Some(2 | 3) => next(4)?,
            Some(version) => return Err(wrong("version 1, 2 or 3 of the format", version.to_string())),
            None => return Err(cut(magic.len())),
        };
        let before = magic.len() + length.len();
        if !matches!(length.len(), 2 | 4) || magic.len() < MAGIC.len() + 2 {
            return Err(cut(before));
        }
        let length = length.iter().rev().fold(0, |length, byte| length << 8 | usize::from(*byte));
        if length > LONGEST {
            return Err(wrong(&format!("a header of at most {LONGEST} bytes"), format!("{length} bytes")));
        }
        let text = next(length)?;
        if text.len() < length {
            return Err(cut(before + text.len()));
        }
        let text = String::from_utf8_lossy(&text);
        let text = text.trim();
        Self::parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            let expected = "a header that gives 'descr' (of a plain type), 'fortran_order' and 'shape'";
            wrong(expected, format!("{shown:?}"))
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut text = Literal(text);
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        text.take("{")?;
        while text.take("}").is_none() {
            let key = text.string()?;
            text.take(":")?;
            match key {
                "descr" => descr = Some(text.string()?),
                "fortran_order" => fortran = Some(text.boolean()?),
                "shape" => shape = Some(text.tuple()?),
                _ => return None,
            }
            // What is behind the last entry need not be a comma.
            if text.take(",").is_none() && !text.0.trim_start().starts_with('}') {
                return None;
            }
        }
        let descr = descr.filter(|_| text.0.trim().is_empty())?;
        Some(Self {
            element: Element::parse(descr)?,
            fortran: fortran?,
            shape: shape?,
            descr: descr.to_owned(),
        })
    }

    /// As in `[60000, 28, 28] of <f4`.
    pub(super) fn description(&self) -> String {
        format!("{:?} of {}", self.shape, self.descr)
    }

    /// The indices of the value that is stored as number `at`.
    pub(super) fn place(&self, at: usize) -> Vec<u64> {
        let mut rest = at as u64;
        let mut index = |extent: &u64| {
            let index = rest % extent;
            rest /= extent;
            index
        };
        if self.fortran {
            return self.shape.iter().map(index).collect();
        }
        let mut place: Vec<u64> = self.shape.iter().rev().map(&mut index).collect();
        place.reverse();
        place
    }
}

/// What is left of the dictionary.
struct Literal<'a>(&'a str);

impl<'a> Literal<'a> {
    fn take(&mut self, token: &str) -> Option<()> {
        self.0 = self.0.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = self.0.trim_start().chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
        let (_, rest) = self.0.split_once(quote)?;
        let (text, rest) = rest.split_once(quote)?;
        self.0 = rest;
        Some(text)
    }

    fn boolean(&mut self) -> Option<bool> {
        self.take("True").map(|()| true).or_else(|| self.take("False").map(|()| false))
    }

    // Python 2 wrote an L behind some numbers.
    fn integer(&mut self) -> Option<u64> {
        let text = self.0.trim_start();
        let (digits, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        self.0 = rest.strip_prefix('L').unwrap_or(rest);
        digits.parse().ok()
    }

    fn tuple(&mut self) -> Option<Vec<u64>> {
        let mut extents = Vec::new();
        self.take("(")?;
        while self.take(")").is_none() {
            extents.push(self.integer()?);
            if self.take(",").is_none() && !self.0.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(extents)
    }
}
