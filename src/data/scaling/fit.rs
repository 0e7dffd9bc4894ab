//! Fitting a scaling to the training part.

use rayon::prelude::*;

use super::{ScaleKind, ScaleOver, Scaling};
use crate::data::{Dataset, Values};
use crate::{Error, Result};

// Rounding that numbers of [0, 1] may have behind them.
const ROUNDING: f32 = 1e-5;
// Floats of [0, 1] that fill less of it would look alike to a model.
const LEAST_SPREAD: f32 = 0.1;
// Bytes of an array that are all below this are not those of pictures.
const DARKEST: f32 = 128.0 / 255.0;
// Numbers of columns that are in memory at a time: 128 MiB.
const COLUMN_NUMBERS: usize = 16 << 20;

impl ScaleKind {
    /// What [`ScaleKind::Auto`] means for `data`; other kinds are what they are.
    pub fn resolved(self, data: &Dataset) -> Self {
        if self != Self::Auto {
            return self;
        }
        let [low, high] = data.values.range();
        match &data.values {
            // Pictures in files may all be dark; what is all black has no other scale.
            Values::Bytes(_) if data.files.is_empty() && high < DARKEST && high > 0.0 => Self::Unit,
            Values::Bytes(_) => Self::None,
            Values::Floats(_) if lies_in_unit([low, high]) && high - low >= LEAST_SPREAD => Self::None,
            Values::Floats(_) => Self::Standard,
        }
    }

    /// Whether this kind, resolved, brings the numbers of `data` into [0, 1], rounding aside.
    pub fn gives_unit(self, data: &Dataset) -> bool {
        self == Self::Unit || self == Self::None && lies_in_unit(data.values.range())
    }
}

impl Scaling {
    /// Fits a scaling to `data`. Without `over`, a row of numbers has a scale for each column, and pictures share one.
    ///
    /// # Errors
    /// [`Error::Setting`] for `log1p` of numbers at or below -1.
    pub fn fit(data: &Dataset, kind: ScaleKind, over: Option<ScaleOver>) -> Result<Self> {
        let (resolved, range) = (kind.resolved(data), data.values.range());
        if resolved == ScaleKind::None {
            // Pixels of bytes keep the whole range, however dark the pictures are.
            return Ok(Self::identity(if lies_in_unit(range) { [0.0, 1.0] } else { range }));
        }
        if resolved == ScaleKind::Log1p && range[0] <= -1.0 {
            return Err(refused(data));
        }
        // Bytes of few shades are pictures or masks: black stays black.
        let dark = kind == ScaleKind::Auto && resolved == ScaleKind::Unit;
        let usual = if dark || data.height > 1 { ScaleOver::Whole } else { ScaleOver::Column };
        let columns = match over.unwrap_or(usual) {
            ScaleOver::Column => data.pixels(),
            ScaleOver::Whole => 1,
        };
        let spreads = match resolved {
            ScaleKind::Unit if dark => vec![[0.0, f64::from(range[1])]; columns],
            ScaleKind::Unit => {
                extremes(data, columns).into_iter().map(|[low, high]| [low, high - low]).collect()
            }
            ScaleKind::Robust => {
                let all: Vec<usize> = (0..columns).collect();
                of_columns(data, columns, &all, |_, numbers| quartiles(numbers))
            }
            _ => deviations(data, resolved, columns),
        };
        let shift = spreads.iter().map(|[shift, _]| *shift as f32).collect();
        let factor = spreads.iter().map(|[_, width]| if *width > 0.0 { (1.0 / width) as f32 } else { 1.0 });
        Ok(Self { kind: resolved, shift, factor: factor.collect(), range })
    }
}

// Row by row, as they lie in memory: the numbers of each of so many columns.
fn fold<T: Clone>(
    data: &Dataset,
    columns: usize,
    start: T,
    mut add: impl FnMut(&mut T, usize, f64),
) -> Vec<T> {
    let mut all = vec![start; columns];
    data.values.for_each_row(columns, |row| {
        for (column, (each, x)) in all.iter_mut().zip(row).enumerate() {
            add(each, column, f64::from(*x));
        }
    });
    all
}

/// What `see` says of the numbers of each of these columns. Rows are read as they lie in the file, for as many columns at a
/// time as a little memory holds: files may be larger than all of it.
pub(super) fn of_columns<T: Send>(
    data: &Dataset,
    columns: usize,
    wanted: &[usize],
    see: impl Fn(usize, Vec<f64>) -> T + Sync,
) -> Vec<T> {
    let rows = data.values.len() / columns.max(1);
    let at_once = (COLUMN_NUMBERS / rows.max(1)).max(1);
    let mut seen = Vec::with_capacity(wanted.len());
    for some in wanted.chunks(at_once) {
        let mut all = vec![Vec::with_capacity(rows); some.len()];
        data.values.for_each_row(columns, |row| {
            all.iter_mut().zip(some).for_each(|(numbers, column)| numbers.push(f64::from(row[*column])));
        });
        seen.par_extend(all.into_par_iter().zip(some).map(|(numbers, column)| see(*column, numbers)));
    }
    seen
}

fn extremes(data: &Dataset, columns: usize) -> Vec<[f64; 2]> {
    fold(data, columns, [f64::INFINITY, f64::NEG_INFINITY], |[low, high], _, x| {
        (*low, *high) = (low.min(x), high.max(x));
    })
}

// Mean and standard deviation of each column; a deviation that is rounding alone counts as none.
fn deviations(data: &Dataset, kind: ScaleKind, columns: usize) -> Vec<[f64; 2]> {
    let count = (data.values.len() / columns).max(1) as f64;
    let sums = fold(data, columns, 0.0, |sum, _, x| *sum += kind.bent(x));
    let means: Vec<f64> = sums.iter().map(|sum| sum / count).collect();
    let squares = fold(data, columns, 0.0, |sum, column, x| *sum += (kind.bent(x) - means[column]).powi(2));
    let deviation = |(mean, square): (&f64, f64)| {
        let deviation = (square / count).sqrt();
        [*mean, if deviation > 1e-12 * mean.abs() { deviation } else { 0.0 }]
    };
    means.iter().zip(squares).map(deviation).collect()
}

// The median of a column and the distance between its quartiles; where that is none, since more than half of the numbers
// are one, the standard deviation.
fn quartiles(mut numbers: Vec<f64>) -> [f64; 2] {
    numbers.sort_by(f64::total_cmp);
    let width = quantile(&numbers, 0.75) - quantile(&numbers, 0.25);
    if width > 0.0 {
        return [quantile(&numbers, 0.5), width];
    }
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let square = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    [quantile(&numbers, 0.5), square.sqrt()]
}

/// Of sorted numbers, with straight lines between them.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let (below, part) = (place.floor() as usize, place.fract());
    match (sorted.get(below), sorted.get(below + 1)) {
        // Of two infinities there is no difference.
        (Some(low), Some(high)) if low == high => *low,
        (Some(low), Some(high)) => low + part * (high - low),
        (Some(low), None) => *low,
        _ => 0.0,
    }
}

fn lies_in_unit([low, high]: [f32; 2]) -> bool {
    low >= -ROUNDING && high <= 1.0 + ROUNDING
}

// Names the first number without a logarithm.
fn refused(data: &Dataset) -> Error {
    let at = data.values.iter().position(|x| x <= -1.0).unwrap_or_default();
    let (row, column) = (at / data.pixels(), at % data.pixels());
    let name = data.columns.get(column).map_or_else(|| column.to_string(), ToString::to_string);
    let expected = "numbers above -1, or --scale standard or robust for others";
    Error::setting(
        format!("--scale log1p of column {name}"),
        expected,
        format!("{} in row {row}", data.values.at(at)),
    )
}
