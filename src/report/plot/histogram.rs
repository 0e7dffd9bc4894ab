//! How often values occur.

use super::axis::{Axis, Frame};
use super::legend::Legend;
use super::page::Panel;
use crate::report::picture::{Area, Colour, Picture};

// A wide one need not be tall.
const HIGHEST: f64 = 300.0;

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
        (width * 0.6).min(HIGHEST) + self.names().height(width)
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
        let top = |share: f64| frame.area.bottom() - y.share(share).min(1.0) * frame.area.height;
        for ((_, _, colour), shares) in self.series.iter().zip(shares) {
            let tops: Vec<f64> = shares.into_iter().map(top).collect();
            match self.series.len() {
                1 => bars(picture, frame.area, &tops, *colour),
                _ => stairs(picture, frame.area, &tops, *colour),
            }
        }
    }
}

fn bars(picture: &mut Picture, area: Area, tops: &[f64], colour: Colour) {
    let (wide, bottom) = (area.width / tops.len() as f64, area.bottom());
    let bars = tops.iter().enumerate().filter(|(_, top)| **top < bottom).map(|(number, top)| {
        let left = area.x + wide * number as f64 + 0.08 * wide;
        let right = left + 0.84 * wide;
        vec![[left, *top], [right, *top], [right, bottom], [left, bottom]]
    });
    picture.polygons(bars.collect(), colour, 1.0);
}

// Bars of several series would hide each other.
fn stairs(picture: &mut Picture, area: Area, tops: &[f64], colour: Colour) {
    let wide = area.width / tops.len() as f64;
    let step = |(number, top): (usize, &f64)| {
        let left = area.x + wide * number as f64;
        [[left, *top], [left + wide, *top]]
    };
    let mut outline = vec![[area.x, area.bottom()]];
    outline.extend(tops.iter().enumerate().flat_map(step));
    outline.push([area.right(), area.bottom()]);
    picture.polygons(vec![outline.clone()], colour, 0.12);
    picture.line(&outline, colour, 1.5);
}
