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
    /// Of the values. Those beyond its range count for the interval at its end.
    pub axis: Axis,
    /// How many intervals the range is divided into.
    pub bins: usize,
    /// Name, values and colour.
    pub series: Vec<(String, Vec<f32>, Colour)>,
    /// Values at which a line stands.
    pub rules: Vec<f64>,
}

impl Histogram {
    /// A histogram of one series of values.
    pub fn new(title: impl Into<String>, values: Vec<f32>, axis: Axis, bins: usize) -> Self {
        let series = vec![(String::new(), values, Colour::of_class(0))];
        Self { title: title.into(), axis, bins, series, rules: Vec::new() }
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

    fn legend(&self) -> Legend<'_> {
        Legend::new(self.series.iter().map(|(name, _, colour)| (name.as_str(), *colour)))
    }
}

impl Panel for Histogram {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        (width * 0.6).min(HIGHEST) + self.legend().height(width)
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let area = self.legend().draw(picture, area);
        let all = self.series.iter().flat_map(|(_, values, _)| values);
        let x = self.axis.scale(all.map(|value| f64::from(*value)), 0.0);
        let shares = |values: &[f32]| Self::shares(values, [x.low, x.high], self.bins);
        let shares: Vec<Vec<f64>> = self.series.iter().map(|(_, values, _)| shares(values)).collect();
        let highest = shares.iter().flatten().copied().fold(0.0, f64::max);
        let up = Axis::new("share [%]").from_to(0.0, 1.05 * highest.max(1e-9));
        let axes = [self.axis.clone().from_to(x.low, x.high), up];
        let frame = Frame::draw(picture, area, &axes, std::iter::empty(), false);
        let top = |share: f64| frame.area.bottom() - frame.y.share(share) * frame.area.height;
        for ((_, _, colour), shares) in self.series.iter().zip(shares) {
            let tops: Vec<f64> = shares.into_iter().map(top).collect();
            match self.series.len() {
                1 => bars(picture, frame.area, &tops, *colour),
                _ => stairs(picture, frame.area, &tops, *colour),
            }
        }
        let rule = |at: &f64| {
            let foot = frame.place([*at, 0.0])?;
            Some(vec![foot, [foot[0], frame.area.y]])
        };
        let rules: Vec<_> = self.rules.iter().filter_map(rule).collect();
        picture.lines(&rules, Colour::Ink, 1.0);
    }
}

fn bars(picture: &mut Picture, area: Area, tops: &[f64], colour: Colour) {
    let (wide, bottom) = (area.width / tops.len() as f64, area.bottom());
    let bars = tops.iter().enumerate().filter(|(_, top)| **top < bottom).map(|(number, top)| {
        let x = area.x + wide * number as f64 + 0.08 * wide;
        Area { x, y: *top, width: 0.84 * wide, height: bottom - top }.corners().to_vec()
    });
    picture.polygons(&bars.collect::<Vec<_>>(), colour, 1.0);
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
    let outline = [outline];
    picture.polygons(&outline, colour, 0.12);
    picture.lines(&outline, colour, 1.5);
}
