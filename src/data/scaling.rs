//! The scaling of a data set's numbers before a model sees them, fitted on the training part, and its inverse.
//!
//! A number x of column j becomes `(f(x) - shift[j]) · factor[j]`, where f is the natural logarithm of 1 + x for
//! [`ScaleKind::Log1p`] and x itself for the others. What comes out of the model goes the way back, so that people see the
//! units that they gave. A constant column keeps the factor 1: it becomes zeros, and is harmless.

use serde::{Deserialize, Serialize};

use super::{Dataset, Values};
use crate::{Error, Result};

// Rounding that numbers of [0, 1] may have behind them.
const ROUNDING: f32 = 1e-5;
// Floats of [0, 1] that fill less of it would look alike to a model.
const LEAST_SPREAD: f32 = 0.1;
// Bytes of an array that are all below this are not those of pictures.
const DARKEST: u8 = 128;

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
    /// To median 0 and a distance of 1 between the quartiles: outliers do not count.
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

    /// Fits a scaling to `data`. Without `over`, a row of numbers has a scale for each column, and pictures share one.
    ///
    /// # Errors
    /// [`Error::Setting`] for `log1p` of numbers at or below -1.
    pub fn fit(data: &Dataset, kind: ScaleKind, over: Option<ScaleOver>) -> Result<Self> {
        let range = range(&data.values);
        let (kind, whole) = match kind {
            ScaleKind::Auto => by_itself(data, range),
            kind => (kind, false),
        };
        if kind == ScaleKind::None {
            // Pixels of bytes keep the whole range, however dark the pictures are.
            let range = if data.values.bytes().is_some() || lies_in_unit(range) { [0.0, 1.0] } else { range };
            return Ok(Self::identity(range));
        }
        let over = over.unwrap_or(match data.height {
            _ if whole => ScaleOver::Whole,
            1 => ScaleOver::Column,
            _ => ScaleOver::Whole,
        });
        let columns = match over {
            ScaleOver::Column => data.pixels(),
            ScaleOver::Whole => 1,
        };
        let mut scaling = Self { kind, range, ..Self::identity(range) };
        (scaling.shift, scaling.factor) = (Vec::new(), Vec::new());
        for column in 0..columns {
            let mut numbers: Vec<f64> =
                data.values.iter().skip(column).step_by(columns).map(|x| kind.bent(x.into())).collect();
            if let Some(bad) = numbers.iter().position(|x| !x.is_finite()) {
                let got = format!(
                    "{} in row {}",
                    data.values.at(bad * columns + column),
                    bad * columns / data.pixels()
                );
                let expected = "numbers above -1, or --scale standard or robust for others";
                return Err(Error::setting(format!("--scale log1p of column {column}"), expected, got));
            }
            // Grey pictures of one scale start at black, not at their darkest pixel.
            let from_zero = whole.then_some(0.0);
            let (shift, width) = kind.shift_and_width(&mut numbers, from_zero);
            scaling.shift.push(shift as f32);
            scaling.factor.push(if width > 0.0 { (1.0 / width) as f32 } else { 1.0 });
        }
        Ok(scaling)
    }

    /// Whether numbers stay what they are.
    pub fn is_identity(&self) -> bool {
        self.kind == ScaleKind::None
    }

    /// Whether the numbers of `data` lie in [0, 1] once they are scaled, rounding aside.
    pub fn gives_unit(&self, data: &Dataset) -> bool {
        data.values.bytes().is_some() && self.is_identity()
            || data.values.iter().enumerate().all(|(at, x)| lies_in_unit([self.scaled(at, x); 2]))
    }

    /// Number `x`, which stands at `at` in its row or in all rows, as the model sees it.
    pub fn scaled(&self, at: usize, x: f32) -> f32 {
        if self.is_identity() {
            return x;
        }
        let column = at % self.shift.len();
        let bent = self.kind.bent(x.into());
        ((bent - f64::from(self.shift[column])) * f64::from(self.factor[column])) as f32
    }

    /// The way back from [`Self::scaled`].
    pub fn unscaled(&self, at: usize, x: f32) -> f32 {
        if self.is_identity() {
            return x;
        }
        let column = at % self.shift.len();
        let bent = f64::from(x) / f64::from(self.factor[column]) + f64::from(self.shift[column]);
        (if self.kind == ScaleKind::Log1p { libm::expm1(bent) } else { bent }) as f32
    }

    /// What is done to the numbers of `data`, in a sentence's part.
    pub fn described(&self, data: &Dataset) -> String {
        let bytes = data.values.bytes().is_some();
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
            ScaleKind::Robust => format!("robust: {each} to median 0 and 1 between the quartiles"),
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

impl ScaleKind {
    fn bent(self, x: f64) -> f64 {
        if self == Self::Log1p { libm::log1p(x) } else { x }
    }

    // Sorts the numbers where it needs their order.
    fn shift_and_width(self, numbers: &mut [f64], from: Option<f64>) -> (f64, f64) {
        let count = numbers.len().max(1) as f64;
        match self {
            Self::Unit => {
                let low = from.unwrap_or_else(|| numbers.iter().copied().fold(f64::INFINITY, f64::min));
                let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                (low, high - low)
            }
            Self::Robust => {
                numbers.sort_by(f64::total_cmp);
                let width = quantile(numbers, 0.75) - quantile(numbers, 0.25);
                // More than half of them may be one number.
                let width = if width > 0.0 { width } else { deviation(numbers, count).1 };
                (quantile(numbers, 0.5), width)
            }
            Self::Auto | Self::None | Self::Standard | Self::Log1p => deviation(numbers, count),
        }
    }
}

// Mean and standard deviation; a deviation that is rounding alone counts as none.
fn deviation(numbers: &[f64], count: f64) -> (f64, f64) {
    let mean = numbers.iter().sum::<f64>() / count;
    let square = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let deviation = square.sqrt();
    (mean, if deviation > 1e-12 * mean.abs() { deviation } else { 0.0 })
}

// Of sorted numbers, with straight lines between them.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(low), Some(high)) => low + part * (high - low),
        (Some(low), None) => *low,
        _ => 0.0,
    }
}

fn range(values: &Values) -> [f32; 2] {
    values.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
}

fn lies_in_unit([low, high]: [f32; 2]) -> bool {
    low >= -ROUNDING && high <= 1.0 + ROUNDING
}

// The kind that fits the data, and whether it is one scale for all numbers, from 0 on.
fn by_itself(data: &Dataset, range: [f32; 2]) -> (ScaleKind, bool) {
    match &data.values {
        Values::Bytes(bytes) => {
            let pictures = !data.files.is_empty()
                || bytes.iter().max().is_none_or(|most| *most >= DARKEST || *most == 0);
            if pictures { (ScaleKind::None, false) } else { (ScaleKind::Unit, true) }
        }
        Values::Floats(_) if lies_in_unit(range) && range[1] - range[0] >= LEAST_SPREAD => {
            (ScaleKind::None, false)
        }
        Values::Floats(_) => (ScaleKind::Standard, false),
    }
}
