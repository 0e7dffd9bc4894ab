//! Columns that a few far values flatten: under the fitted scale all others fall together.

use super::fit::{of_columns, quantile};
use super::{ScaleKind, Scaling};
use crate::data::{Dataset, Values};

// In units of the scale: the middle half of a flattened column spans less than the first, its farthest value lies beyond the
// second, so that few can be so far. A unit range has no more than 1.
const NARROW: f64 = 0.01;
const FAR: f64 = 10.0;
const FAR_OF_RANGE: f64 = 0.5;

/// A column that far values flatten.
#[derive(Clone, Debug, PartialEq)]
pub struct Flattened {
    /// Its place in a row.
    pub column: usize,
    /// Its name, else its place.
    pub name: String,
    /// The value farthest from its median.
    pub farthest: f64,
    /// What its middle half spans, in units of the scale.
    pub spread: f64,
}

impl Scaling {
    /// The columns of `data` that this scaling, fitted to it, leaves next to no differences in, because of a few far values.
    /// A column whose middle half is one number has none to lose.
    pub fn flattened(&self, data: &Dataset) -> Vec<Flattened> {
        let columns = self.shift.len();
        let fits = !matches!(self.kind, ScaleKind::Auto | ScaleKind::None | ScaleKind::Robust);
        if !fits || columns != data.pixels() || matches!(data.values, Values::Bytes(_)) {
            return Vec::new();
        }
        let far = if self.kind == ScaleKind::Unit { FAR_OF_RANGE } else { FAR };
        let mut farthest = vec![0.0_f64; columns];
        data.values.for_each_row(columns, |row| {
            for ((most, x), (shift, factor)) in
                farthest.iter_mut().zip(row).zip(self.shift.iter().zip(&self.factor))
            {
                let scaled = (self.kind.bent(f64::from(*x)) - f64::from(*shift)) * f64::from(*factor);
                *most = most.max(scaled.abs());
            }
        });
        let suspects: Vec<usize> = (0..columns).filter(|column| farthest[*column] > far).collect();
        let flattened =
            of_columns(data, columns, &suspects, |column, numbers| self.flattens(data, column, numbers));
        flattened.into_iter().flatten().collect()
    }

    fn flattens(&self, data: &Dataset, column: usize, mut numbers: Vec<f64>) -> Option<Flattened> {
        numbers.iter_mut().for_each(|x| *x = self.kind.bent(*x));
        numbers.sort_by(f64::total_cmp);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|share| quantile(&numbers, share));
        let spread = (high - low) * f64::from(self.factor[column]);
        let ends = [numbers.first()?, numbers.last()?];
        let farthest = if median - ends[0] > ends[1] - median { *ends[0] } else { *ends[1] };
        let farthest = if self.kind == ScaleKind::Log1p { libm::expm1(farthest) } else { farthest };
        let name = data.columns.get(column).map_or_else(|| column.to_string(), ToString::to_string);
        (spread > 0.0 && spread < NARROW).then_some(Flattened { column, name, farthest, spread })
    }
}
