//! The numbers of a data set, as they were read.

use std::hash::{DefaultHasher, Hasher};

use super::numbers::Numbers;

/// Numbers of images or rows, one after another.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Bytes, each of which means byte / 255.
    Bytes(Numbers<u8>),
    /// Numbers in units of their own.
    Floats(Numbers<f32>),
}

impl Values {
    /// How many numbers.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(floats) => floats.len(),
        }
    }

    /// Whether they lie in a file that is mapped into memory.
    pub fn is_mapped(&self) -> bool {
        match self {
            Self::Bytes(bytes) => bytes.is_mapped(),
            Self::Floats(floats) => floats.is_mapped(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they are bytes.
    pub const fn are_bytes(&self) -> bool {
        matches!(self, Self::Bytes(_))
    }

    /// Number `at`, which must be below `len()`.
    pub fn at(&self, at: usize) -> f32 {
        match self {
            Self::Bytes(bytes) => f32::from(bytes.at(at)) / 255.0,
            Self::Floats(floats) => floats.at(at),
        }
    }

    /// All numbers, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = f32> + ExactSizeIterator + '_ {
        (0..self.len()).map(|at| self.at(at))
    }

    /// The smallest and the largest; of bytes 0 and the largest.
    pub fn range(&self) -> [f32; 2] {
        match self {
            Self::Bytes(bytes) => {
                let most = bytes.pieces().filter_map(|piece| piece.iter().max()).max();
                [0.0, f32::from(most.copied().unwrap_or_default()) / 255.0]
            }
            Self::Floats(floats) => {
                let wider = |[low, high]: [f32; 2], x: &f32| [low.min(*x), high.max(*x)];
                floats.pieces().flatten().fold([f32::INFINITY, f32::NEG_INFINITY], wider)
            }
        }
    }

    /// Calls `see` with each row of `width` numbers, in their order.
    pub fn for_each_row(&self, width: usize, see: impl FnMut(&[f32])) {
        let rows = self.len().checked_div(width).unwrap_or_default();
        self.for_each_of(0..rows, width, see);
    }

    /// Calls `see` with these rows of `width` numbers, each of which must lie within.
    pub fn for_each_of(
        &self,
        rows: impl IntoIterator<Item = usize>,
        width: usize,
        mut see: impl FnMut(&[f32]),
    ) {
        match self {
            Self::Floats(floats) => rows.into_iter().for_each(|row| see(floats.row(row, width))),
            Self::Bytes(bytes) => {
                let mut numbers = vec![0.0; width];
                for row in rows {
                    let row = bytes.row(row, width);
                    numbers.iter_mut().zip(row).for_each(|(x, byte)| *x = f32::from(*byte) / 255.0);
                    see(&numbers);
                }
            }
        }
    }

    /// The bytes; None where they are floats.
    pub const fn bytes(&self) -> Option<&Numbers<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Floats(_) => None,
        }
    }

    /// The CRC-32 of the bytes, or of the floats' own, low byte first.
    pub fn checksum(&self) -> u32 {
        let mut crc = flate2::Crc::new();
        match self {
            Self::Bytes(bytes) => bytes.pieces().for_each(|piece| crc.update(piece)),
            Self::Floats(floats) => {
                floats.pieces().flatten().for_each(|float| crc.update(&float.to_le_bytes()));
            }
        }
        crc.sum()
    }

    /// A hash of row `row` of rows of `width` numbers.
    pub(super) fn hash(&self, row: usize, width: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        match self {
            Self::Bytes(bytes) => hasher.write(bytes.row(row, width)),
            Self::Floats(floats) => hasher.write(bytemuck::cast_slice(floats.row(row, width))),
        }
        hasher.finish()
    }

    /// Those in `range`, which must lie within `0..len()` and begin and end with an image.
    pub(super) fn slice(&self, range: std::ops::Range<usize>) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.slice(range)),
            Self::Floats(floats) => Self::Floats(floats.slice(range)),
        }
    }

    /// The rows of `width` numbers at these places.
    pub(super) fn chosen(&self, width: usize, places: &[usize]) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(bytes.chosen(width, places)),
            Self::Floats(floats) => Self::Floats(floats.chosen(width, places)),
        }
    }

    /// Of images that lie in memory as `[channels, height, width]` those of `[height, width, channels]`, these extents.
    pub(super) fn channels_last(&self, [height, width, channels]: [usize; 3]) -> Self {
        let area = height * width;
        let image = |at: usize| {
            let begin = at * area * channels;
            (0..area * channels).map(move |to| begin + to % channels * area + to / channels)
        };
        let order = (0..self.len() / (area * channels).max(1)).flat_map(image);
        match self {
            Self::Bytes(bytes) => order.map(|at| bytes.at(at)).collect::<Vec<_>>().into(),
            Self::Floats(floats) => order.map(|at| floats.at(at)).collect::<Vec<_>>().into(),
        }
    }

    /// Adds those of `more`, as floats where either are.
    pub(super) fn append(&mut self, more: Self) {
        *self = match (std::mem::take(self), more) {
            (Self::Bytes(bytes), Self::Bytes(more)) => [bytes.into_vec(), more.into_vec()].concat().into(),
            (all, more) => all.iter().chain(more.iter()).collect::<Vec<f32>>().into(),
        };
    }
}

impl Default for Values {
    fn default() -> Self {
        Self::Bytes(Numbers::default())
    }
}

impl From<Numbers<u8>> for Values {
    fn from(bytes: Numbers<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Numbers<f32>> for Values {
    fn from(floats: Numbers<f32>) -> Self {
        Self::Floats(floats)
    }
}

impl From<Vec<u8>> for Values {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Vec<f32>> for Values {
    fn from(floats: Vec<f32>) -> Self {
        Self::Floats(floats.into())
    }
}
