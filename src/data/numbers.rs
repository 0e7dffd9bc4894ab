//! Numbers in memory, or in a file that is mapped into it: pages are read when they are used, and given back when memory is
//! short.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::sync::Arc;

use bytemuck::AnyBitPattern;
use memmap2::Mmap;

/// A list of numbers.
#[derive(Clone)]
pub struct Numbers<T>(Store<T>);

#[derive(Clone)]
enum Store<T> {
    Owned(Vec<T>),
    // The bytes of the file in which they lie.
    Mapped(Arc<Mmap>, Range<usize>),
}

/// Maps a whole file.
#[expect(unsafe_code, reason = "the one way to map a file")]
pub(super) fn map(file: &File) -> io::Result<Arc<Mmap>> {
    // SAFETY: nothing writes to the mapping. Whoever changes the file meanwhile changes the numbers, and whoever shortens it
    // ends the program; every program that maps a file relies on the same.
    unsafe { Mmap::map(file) }.map(Arc::new)
}

impl<T: AnyBitPattern> Numbers<T> {
    /// Those from byte `begin` of a mapped file to its end; None where they are not aligned or no whole numbers.
    pub(super) fn mapped(map: &Arc<Mmap>, begin: usize) -> Option<Self> {
        let range = begin..map.len();
        bytemuck::try_cast_slice::<u8, T>(map.get(range.clone())?).ok()?;
        Some(Self(Store::Mapped(Arc::clone(map), range)))
    }

    /// Whether they lie in a mapped file.
    pub fn is_mapped(&self) -> bool {
        matches!(self.0, Store::Mapped(..))
    }

    /// Those in `range`, which must lie within; of a mapped file without a copy.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        match &self.0 {
            Store::Owned(numbers) => numbers[range].to_vec().into(),
            Store::Mapped(map, bytes) => {
                let [begin, end] = [range.start, range.end].map(|at| bytes.start + at * size_of::<T>());
                Self(Store::Mapped(Arc::clone(map), begin..end))
            }
        }
    }

    /// Moves those from `first` on out.
    pub(super) fn split_off(&mut self, first: usize) -> Self {
        if let Store::Owned(numbers) = &mut self.0 {
            return numbers.split_off(first).into();
        }
        let last = self.slice(first..self.len());
        *self = self.slice(0..first);
        last
    }

    /// The list in memory: a copy of what is mapped.
    pub(super) fn into_vec(self) -> Vec<T> {
        match self.0 {
            Store::Owned(numbers) => numbers,
            Store::Mapped(..) => self.to_vec(),
        }
    }
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T: AnyBitPattern> Deref for Numbers<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Store::Owned(numbers) => numbers,
            Store::Mapped(map, range) => bytemuck::cast_slice(&map[range.clone()]),
        }
    }
}

impl<T> From<Vec<T>> for Numbers<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self(Store::Owned(numbers))
    }
}

impl<T: AnyBitPattern + PartialEq> PartialEq for Numbers<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: AnyBitPattern + fmt::Debug> fmt::Debug for Numbers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
