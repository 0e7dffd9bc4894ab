//! The scaling of a data set's numbers before a model sees them, fitted on the training part, and its inverse.
//!
//! A number x of column j becomes `(f(x) - shift[j]) · factor[j]`, where f is the natural logarithm of 1 + x for
//! [`ScaleKind::Log1p`] and x itself for the others; [`ScaleKind::Robust`] takes a logarithm of what is beyond 10. What comes
//! out of the model goes the way back, so that people see the units that they gave. A constant column keeps the factor 1: it
//! becomes zeros, and is harmless.

mod fit;
mod flattened;

use serde::{Deserialize, Serialize};

pub(crate) use fit::quantile;
pub use flattened::Flattened;

use super::Dataset;

/// How numbers are scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleKind {
    /// As the data are: pictures, and floats that fill at least a tenth of [0, 1], not at all; bytes that are all dark
    /// to [0, 1]; other floats to mean 0 and deviation 1.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// Smallest and largest to 0 and 1.
    Unit,
    /// To mean 0 and standard deviation 1.
    Standard,
    /// To median 0 and a distance of 1 between the quartiles: outliers do not count. Beyond 10 such distances it grows as a
    /// logarithm.
    Robust,
    /// ln(1 + x), then as standard: for counts, sizes and prices.
    Log1p,
}

/// What shares a shift and a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaleOver {
    /// Each number of a row has its own.
    Column,
    /// All numbers have the same.
    Whole,
}

/// A fitted scaling. A number's column is its place in its row.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// Its kind: never [`ScaleKind::Auto`].
    pub kind: ScaleKind,
    /// `[1]`, or `[columns]`.
    pub shift: Vec<f32>,
    /// As many as `shift`.
    pub factor: Vec<f32>,
    /// The smallest and the largest number of the training part, before scaling: black and white in pictures.
    pub range: [f32; 2],
}

impl Default for Scaling {
    fn default() -> Self {
        Self::identity([0.0, 1.0])
    }
}

impl Scaling {
    fn identity(range: [f32; 2]) -> Self {
        Self { kind: ScaleKind::None, shift: vec![0.0], factor: vec![1.0], range }
    }

    /// Whether numbers stay what they are.
    pub fn is_identity(&self) -> bool {
        self.kind == ScaleKind::None
    }

    /// A row, `[pixels]`, as the model sees it.
    pub fn scale(&self, row: &mut [f32]) {
        let robust = self.kind == ScaleKind::Robust;
        self.each(row, |x, shift, factor| {
            let scaled = (self.kind.bent(x) - shift) * factor;
            if robust { squeezed(scaled) } else { scaled }
        });
    }

    /// The way back from [`Self::scale`].
    pub fn unscale(&self, row: &mut [f32]) {
        let (log1p, robust) = (self.kind == ScaleKind::Log1p, self.kind == ScaleKind::Robust);
        self.each(row, |x, shift, factor| {
            let bent = if robust { stretched(x) } else { x } / factor + shift;
            if log1p { libm::expm1(bent) } else { bent }
        });
    }

    /// What was fitted to each of so many columns, in the data's units, and what it is. None where no column was fitted alone.
    pub fn landmarks(&self, columns: usize) -> Option<(Vec<Vec<f32>>, &'static str)> {
        let (scaled, meaning): (&[f32], _) = match self.kind {
            ScaleKind::Auto | ScaleKind::None => return None,
            ScaleKind::Unit => (&[0.0, 1.0], "the smallest and the largest number of the training part"),
            ScaleKind::Standard => {
                (&[0.0, -1.0, 1.0], "the training part's mean, and a standard deviation to either side")
            }
            ScaleKind::Robust => {
                (&[0.0, -1.0, 1.0], "the training part's median, and a quartile distance to either side")
            }
            ScaleKind::Log1p => (
                &[0.0, -1.0, 1.0],
                "the training part's mean of ln(1 + x), and a standard deviation to either side",
            ),
        };
        let row = |scaled: &f32| {
            let mut row = vec![*scaled; columns];
            self.unscale(&mut row);
            row
        };
        let rows: Vec<Vec<f32>> = scaled.iter().map(row).collect();
        // A constant column has a place, and no width.
        let known = |at: usize| if self.factor[at] == 1.0 { 1 } else { rows.len() };
        let of_column = |at: usize| rows.iter().take(known(at)).map(|row| row[at]).collect();
        (self.shift.len() == columns).then(|| ((0..columns).map(of_column).collect(), meaning))
    }

    fn each(&self, row: &mut [f32], change: impl Fn(f64, f64, f64) -> f64) {
        if self.is_identity() {
            return;
        }
        for (x, (shift, factor)) in row.iter_mut().zip(self.shift.iter().zip(&self.factor).cycle()) {
            *x = change(f64::from(*x), f64::from(*shift), f64::from(*factor)) as f32;
        }
    }

    /// What is done to the numbers of `data`, in a sentence's part.
    pub fn described(&self, data: &Dataset) -> String {
        let bytes = data.values.are_bytes();
        let each = if self.shift.len() > 1 {
            format!("each of {} columns", self.shift.len())
        } else {
            "all numbers".to_owned()
        };
        match self.kind {
            ScaleKind::Auto | ScaleKind::None if bytes => "bytes, divided by 255".to_owned(),
            ScaleKind::Auto | ScaleKind::None => "none: numbers are taken as they are".to_owned(),
            ScaleKind::Unit if self.shift.len() == 1 && bytes => {
                format!("unit: bytes, divided by {}", (255.0 / self.factor[0]).round())
            }
            ScaleKind::Unit => format!("unit: the smallest and the largest of {each} become 0 and 1"),
            ScaleKind::Standard => format!("standard: {each} to mean 0 and deviation 1"),
            ScaleKind::Robust => format!(
                "robust: {each} to median 0 and 1 between the quartiles, what is beyond 10 as a logarithm"
            ),
            ScaleKind::Log1p => format!("log1p: ln(1 + x), then {each} to mean 0 and deviation 1"),
        }
    }

    /// The name of the units that losses are counted in.
    pub fn units(&self) -> &'static str {
        match self.kind {
            ScaleKind::Auto | ScaleKind::None => "the data's own units",
            ScaleKind::Unit => "units of the range",
            ScaleKind::Standard => "standard deviations",
            ScaleKind::Robust => "quartile distances",
            ScaleKind::Log1p => "standard deviations of ln(1 + x)",
        }
    }
}

const STRAIGHT: f64 = ScaleKind::STRAIGHT;

// Far numbers keep their order, and no longer drown the others.
fn squeezed(x: f64) -> f64 {
    let beyond = x.abs() - STRAIGHT;
    if beyond > 0.0 { (STRAIGHT + libm::log1p(beyond)).copysign(x) } else { x }
}

// The way back from `squeezed`.
fn stretched(x: f64) -> f64 {
    let beyond = x.abs() - STRAIGHT;
    if beyond > 0.0 { (STRAIGHT + libm::expm1(beyond)).copysign(x) } else { x }
}

impl ScaleKind {
    /// Quartile distances from which on the robust scale grows as a logarithm: 13 deviations of a normal distribution.
    pub const STRAIGHT: f64 = 10.0;

    // What is scaled of a number.
    fn bent(self, x: f64) -> f64 {
        if self == Self::Log1p { libm::log1p(x) } else { x }
    }
}
