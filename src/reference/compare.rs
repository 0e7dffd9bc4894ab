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

/// Fails where `gradient` is not the central difference of `loss` at `x`, element by element.
#[cfg(test)]
pub(super) fn numeric_gradient(what: &str, x: &[f64], gradient: &[f64], loss: impl Fn(&[f64]) -> f64) {
    assert_eq!(x.len(), gradient.len(), "{what}");
    let h = 1e-5;
    for (at, slope) in gradient.iter().enumerate() {
        let moved = |by: f64| {
            let mut x = x.to_vec();
            x[at] += by;
            loss(&x)
        };
        let numeric = (moved(h) - moved(-h)) / (2.0 * h);
        let error = (numeric - slope).abs() / (1.0 + slope.abs());
        assert!(error < 1e-8, "{what} {at}: {slope}, numerically {numeric}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOSE: Tolerance = Tolerance::new(1e-6, 1e-5);

    #[test]
    fn a_planted_wrong_value_is_caught_and_named() {
        let expected: Vec<f32> = (0..100).map(|i| i as f32).collect();
        assert_eq!(compare(&expected, &expected, Tolerance::EXACT), Ok(()));
        let mut got = expected.clone();
        got[37] += 0.01;
        let mismatch = compare(&got, &expected, CLOSE).err();
        assert_eq!(mismatch.map(|m| (m.count, m.index)), Some((1, 37)));
    }

    #[test]
    fn nan_never_passes_on_either_side_at_any_tolerance() {
        let loose = Tolerance::new(f32::INFINITY, f32::INFINITY);
        assert!(!loose.accepts(f32::NAN, 1.0));
        assert!(!loose.accepts(1.0, f32::NAN));
        assert!(!loose.accepts(f32::NAN, f32::NAN));
        assert!(compare(&[f32::NAN], &[f32::NAN], loose).is_err());
    }

    #[test]
    fn infinity_passes_only_for_the_same_infinity() {
        assert!(CLOSE.accepts(f32::INFINITY, f32::INFINITY));
        assert!(!CLOSE.accepts(f32::INFINITY, f32::NEG_INFINITY));
        assert!(!CLOSE.accepts(f32::INFINITY, 1e38));
        assert!(!CLOSE.accepts(1e38, f32::INFINITY));
    }

    #[test]
    fn words_that_would_be_equal_as_floats_are_told_apart() {
        let (got, expected) = ([0, 1 << 24], [0, (1 << 24) + 1]);
        assert_eq!(got.map(|word: u32| word as f32), expected.map(|word: u32| word as f32));
        let mismatch = compare_words(&got, &expected).err();
        assert_eq!(mismatch.map(|m| (m.index, m.got, m.expected)), Some((1, got[1], expected[1])));
        // As bits of floats, 0 and 1 differ by a denormal.
        assert!(compare_words(&[0], &[1]).is_err());
        assert!(compare_words(&[0], &[]).is_err());
        assert_eq!(compare_words(&got, &got), Ok(()));
    }

    #[test]
    fn arrays_of_different_length_never_pass() {
        assert!(compare(&[1.0, 2.0], &[1.0], CLOSE).is_err());
        assert!(compare(&[], &[1.0], CLOSE).is_err());
        assert_eq!(compare(&[], &[], CLOSE), Ok(()));
    }
}
