//! How often values occur.

use super::axis::{Axis, Frame};
use super::legend::Legend;
use super::page::Panel;
use crate::report::picture::{Area, Colour, Picture};

/// The share of values in each of some equal intervals.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// What stands above it.
    pub title: String,
    /// Of the values, which must have a range, and of the shares in percent, which needs none.
    pub axes: [Axis; 2],
    /// How many intervals the range is divided into.
    pub bins: usize,
    /// Name, values and colour. Beyond the range they count for the interval at its end.
    pub series: Vec<(String, Vec<f32>, Colour)>,
}

impl Histogram {
    /// A histogram of one series of values in `range`.
    pub fn new(
        title: impl Into<String>,
        values: Vec<f32>,
        label: &str,
        range: [f64; 2],
        bins: usize,
    ) -> Self {
        let axes = [Axis::new(label).from_to(range[0], range[1]), Axis::new("share [%]")];
        Self { title: title.into(), axes, bins, series: vec![(String::new(), values, Colour::of_class(0))] }
    }

    /// Percent of `values` in each interval. Of no values, none.
    pub fn shares(values: &[f32], [low, high]: [f64; 2], bins: usize) -> Vec<f64> {
        let bins = bins.max(1);
        let mut counts = vec![0_u64; bins];
        for value in values.iter().filter(|value| value.is_finite()) {
            let at = (f64::from(*value) - low) / (high - low) * bins as f64;
            counts[(at.max(0.0) as usize).min(bins - 1)] += 1;
        }
        let total = counts.iter().sum::<u64>().max(1) as f64;
        counts.into_iter().map(|count| 100.0 * count as f64 / total).collect()
    }

    fn names(&self) -> Legend {
        let named = self.series.iter().filter(|(name, ..)| !name.is_empty());
        Legend(named.map(|(name, _, colour)| (name.clone(), *colour)).collect())
    }
}

impl Panel for Histogram {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        width * 0.6 + self.names().height(width)
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let legend = self.names();
        let below = legend.height(area.width);
        legend.draw(picture, area.inside(0.0, area.height - below, 0.0, 0.0));
        let [across, up] = [&self.axes[0], &self.axes[1]];
        let all = self.series.iter().flat_map(|(_, values, _)| values);
        let x = across.scale(all.map(|value| f64::from(*value)), 0.0);
        let shares: Vec<Vec<f64>> = self
            .series
            .iter()
            .map(|(_, values, _)| Self::shares(values, [x.low, x.high], self.bins))
            .collect();
        let highest = shares.iter().flatten().copied().fold(0.0, f64::max);
        let up =
            if up.range.is_some() { up.clone() } else { up.clone().from_to(0.0, 1.05 * highest.max(1e-9)) };
        let y = up.scale(std::iter::empty(), 0.0);
        let frame = Frame::draw(picture, area.inside(0.0, 0.0, 0.0, below), [across, &up], [x, y], false);
        let alpha = if self.series.len() > 1 { 0.6 } else { 1.0 };
        for ((_, _, colour), shares) in self.series.iter().zip(shares) {
            let wide = frame.area.width / shares.len() as f64;
            let bars = shares.iter().enumerate().filter(|(_, share)| **share > 0.0).map(|(number, share)| {
                let left = frame.area.x + wide * number as f64 + 0.08 * wide;
                let right = left + 0.84 * wide;
                let (top, bottom) =
                    (frame.area.bottom() - y.share(*share).min(1.0) * frame.area.height, frame.area.bottom());
                vec![[left, top], [right, top], [right, bottom], [left, bottom]]
            });
            picture.polygons(bars.collect(), *colour, alpha);
        }
    }
}
