//! Comparing a device's numbers with the reference's: NaN never passes.

use std::fmt;

/// How far two numbers may differ: `|got - expected| <= absolute + relative * |expected|`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// The part that does not scale.
    pub absolute: f32,
    /// The part that scales with the expected magnitude.
    pub relative: f32,
}

impl Tolerance {
    /// Equal, bit pattern aside (0 equals -0).
    pub const EXACT: Self = Self { absolute: 0.0, relative: 0.0 };

    /// Both parts.
    pub const fn new(absolute: f32, relative: f32) -> Self {
        Self { absolute, relative }
    }

    /// Whether `got` is close enough. False where either is NaN, or where one alone is infinite.
    pub fn accepts(self, got: f32, expected: f32) -> bool {
        let close = (got - expected).abs() <= self.absolute + self.relative * expected.abs();
        got == expected || (close && got.is_finite() && expected.is_finite())
    }
}

/// Where two arrays of numbers differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch<T = f32> {
    /// How many elements differ too much.
    pub count: usize,
    /// Out of how many.
    pub of: usize,
    /// The first of them.
    pub index: usize,
    /// What was found there.
    pub got: T,
    /// What was expected there.
    pub expected: T,
}

impl<T: fmt::Debug> fmt::Display for Mismatch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, of, index, got, expected } = self;
        write!(f, "{count} of {of} differ, first at {index}: got {got:?}, expected {expected:?}")
    }
}

/// Compares element by element; a difference in length counts as every missing element differing.
///
/// # Errors
/// The [`Mismatch`], with the first difference and their number.
pub fn compare(got: &[f32], expected: &[f32], tolerance: Tolerance) -> Result<(), Mismatch> {
    compare_each(got, expected, |_| tolerance)
}

/// As [`compare`], with a tolerance for each index.
///
/// # Errors
/// As [`compare`].
pub fn compare_each(
    got: &[f32],
    expected: &[f32],
    tolerance: impl Fn(usize) -> Tolerance,
) -> Result<(), Mismatch> {
    differing(got, expected, f32::NAN, |index, got, expected| tolerance(index).accepts(got, expected))
}

/// Compares whole numbers, which must be equal. As floats most would be nearly zero, and pass.
///
/// # Errors
/// As [`compare`]; a number that is missing is shown as 0.
pub fn compare_words(got: &[u32], expected: &[u32]) -> Result<(), Mismatch<u32>> {
    differing(got, expected, 0, |_, got, expected| got == expected)
}

fn differing<T: Copy>(
    got: &[T],
    expected: &[T],
    missing: T,
    same: impl Fn(usize, T, T) -> bool,
) -> Result<(), Mismatch<T>> {
    let of = got.len().max(expected.len());
    let wrong = |index: &usize| match (got.get(*index), expected.get(*index)) {
        (Some(got), Some(expected)) => !same(*index, *got, *expected),
        _ => true,
    };
    let mut wrongs = (0..of).filter(wrong);
    let Some(index) = wrongs.next() else { return Ok(()) };
    let at = |values: &[T]| values.get(index).copied().unwrap_or(missing);
    Err(Mismatch { count: 1 + wrongs.count(), of, index, got: at(got), expected: at(expected) })
}
