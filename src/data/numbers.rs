//! Numbers in memory, or in a file that is mapped into it: pages are read when they are used, and given back when memory is
//! short. Parts of them, in any order, are views: no number is copied.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytemuck::AnyBitPattern;
use memmap2::Mmap;

/// A list of numbers.
#[derive(Clone)]
pub struct Numbers<T> {
    memory: Memory<T>,
    taken: Taken,
}

#[derive(Clone)]
enum Memory<T> {
    Owned(Arc<Vec<T>>),
    // A file, and the bytes of it that they are.
    Mapped(Arc<Mmap>, Range<usize>),
    // What something else owns, as an array of another language.
    Lent(Arc<dyn AsRef<[T]> + Send + Sync>),
}

// Which of the numbers in memory are meant.
#[derive(Clone)]
enum Taken {
    Run(Range<usize>),
    // Rows of so many, by their places.
    Rows(usize, Arc<[usize]>),
}

/// Maps a whole file.
#[expect(unsafe_code, reason = "the one way to map a file")]
pub(super) fn map(file: &File) -> io::Result<Arc<Mmap>> {
    // SAFETY: nothing writes to the mapping. Whoever changes the file meanwhile changes the numbers, and whoever shortens it
    // ends the program; every program that maps a file relies on the same.
    unsafe { Mmap::map(file) }.map(Arc::new)
}

impl<T: AnyBitPattern> Numbers<T> {
    /// Those in these bytes of a mapped file; None where they are not aligned or no whole numbers.
    pub(super) fn mapped(map: &Arc<Mmap>, bytes: Range<usize>) -> Option<Self> {
        let count = bytemuck::try_cast_slice::<u8, T>(map.get(bytes.clone())?).ok()?.len();
        Some(Self { memory: Memory::Mapped(Arc::clone(map), bytes), taken: Taken::Run(0..count) })
    }

    /// Whether they lie in a mapped file.
    pub fn is_mapped(&self) -> bool {
        matches!(self.memory, Memory::Mapped(..))
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        match &self.taken {
            Taken::Run(range) => range.len(),
            Taken::Rows(width, places) => width * places.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn all(&self) -> &[T] {
        match &self.memory {
            Memory::Owned(numbers) => numbers,
            Memory::Mapped(map, bytes) => bytemuck::cast_slice(&map[bytes.clone()]),
            Memory::Lent(lent) => (**lent).as_ref(),
        }
    }

    /// Number `at`, which must be below `len()`.
    pub fn at(&self, at: usize) -> T {
        match &self.taken {
            Taken::Run(range) => self.all()[range.clone()][at],
            Taken::Rows(width, places) => self.all()[places[at / width] * width + at % width],
        }
    }

    /// Row `row` of rows of `width` numbers, which must lie within. Of rows that were chosen, a whole number of them
    /// makes up one of those.
    pub fn row(&self, row: usize, width: usize) -> &[T] {
        let at = row * width;
        let begin = match &self.taken {
            Taken::Run(range) => range.start + at,
            Taken::Rows(chosen, places) => places[at / chosen] * chosen + at % chosen,
        };
        &self.all()[begin..begin + width]
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator + '_ {
        (0..self.len()).map(|at| self.at(at))
    }

    /// All of them, in as long pieces as they lie in.
    pub fn pieces(&self) -> impl Iterator<Item = &[T]> {
        let (run, rows) = match &self.taken {
            Taken::Run(range) => (Some(&self.all()[range.clone()]), 0..0),
            Taken::Rows(_, places) => (None, 0..places.len()),
        };
        let width = match self.taken {
            Taken::Run(_) => 0,
            Taken::Rows(width, _) => width,
        };
        run.into_iter().chain(rows.map(move |row| self.row(row, width)))
    }

    /// All of them in one piece: a copy where they lie apart.
    pub fn joined(&self) -> Cow<'_, [T]> {
        match &self.taken {
            Taken::Run(range) => Cow::Borrowed(&self.all()[range.clone()]),
            Taken::Rows(..) => self.pieces().flatten().copied().collect::<Vec<_>>().into(),
        }
    }

    /// Those in `range`, which must lie within and, where they are rows, begin and end with one.
    pub(super) fn slice(&self, range: Range<usize>) -> Self {
        let taken = match &self.taken {
            Taken::Run(run) => Taken::Run(run.start + range.start..run.start + range.end),
            Taken::Rows(width, places) => {
                Taken::Rows(*width, places[range.start / width..range.end / width].into())
            }
        };
        Self { memory: self.memory.clone(), taken }
    }

    /// The rows of `width` numbers at these places, each within, in this order.
    pub(super) fn chosen(&self, width: usize, places: &[usize]) -> Self {
        let place = |row: &usize| match &self.taken {
            // A run that begins within a row has rows of its own.
            Taken::Run(range) => range.start / width + row,
            Taken::Rows(_, places) => places[*row],
        };
        let taken = Taken::Rows(width, places.iter().map(place).collect());
        let chosen = Self { memory: self.memory.clone(), taken };
        match &self.memory {
            // A few keep no large memory.
            Memory::Owned(numbers) if chosen.len() < numbers.len() / 2 => chosen.joined().into_owned().into(),
            _ => chosen,
        }
    }

    /// The list in memory: a copy of what is mapped or used elsewhere.
    pub(super) fn into_vec(self) -> Vec<T> {
        match (self.memory, self.taken) {
            (Memory::Owned(numbers), Taken::Run(range)) if range == (0..numbers.len()) => {
                Arc::try_unwrap(numbers).unwrap_or_else(|shared| shared.to_vec())
            }
            (memory, taken) => Self { memory, taken }.joined().into_owned(),
        }
    }
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Numbers<T> {
    fn from(numbers: Vec<T>) -> Self {
        let taken = Taken::Run(0..numbers.len());
        Self { memory: Memory::Owned(Arc::new(numbers)), taken }
    }
}

impl<T> From<Arc<dyn AsRef<[T]> + Send + Sync>> for Numbers<T> {
    /// Numbers that are read where they lie.
    fn from(lent: Arc<dyn AsRef<[T]> + Send + Sync>) -> Self {
        let taken = Taken::Run(0..(*lent).as_ref().len());
        Self { memory: Memory::Lent(lent), taken }
    }
}

impl<T: AnyBitPattern + PartialEq> PartialEq for Numbers<T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: AnyBitPattern + fmt::Debug> fmt::Debug for Numbers<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.joined().fmt(f)
    }
}
