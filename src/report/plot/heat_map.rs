//! A matrix of numbers as colours.

use image::{Rgb, RgbImage};

use super::axis::{Axis, Frame, TICK, edge};
use super::page::Panel;
use crate::report::picture::{Area, Colour, Picture};

/// A matrix as colours: white is zero, blue above, orange below.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    /// What stands above it.
    pub title: String,
    /// What columns and rows are.
    pub labels: [String; 2],
    /// `[rows, columns]`, the first row on top.
    pub values: Vec<f32>,
    /// Numbers in a row.
    pub columns: usize,
    /// What has the deepest colour, above and below zero.
    pub largest: f64,
}

const BAR: f64 = 10.0;
const STEPS: u32 = 64;

impl Panel for HeatMap {
    fn title(&self) -> &str {
        &self.title
    }

    // Narrow ones get squarish, wide ones as flat as they are.
    fn height(&self, width: f64) -> f64 {
        let rows = self.values.len() / self.columns.max(1);
        let aspect = rows as f64 / self.columns.max(1) as f64;
        (width - 70.0).max(0.0) * aspect.clamp(0.25, 1.0) + 40.0
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let columns = self.columns.max(1);
        let rows = self.values.len() / columns;
        let axes = [
            Axis::new(self.labels[0].as_str()).from_to(0.0, columns as f64),
            Axis::new(self.labels[1].as_str()).from_to(rows.max(1) as f64, 0.0),
        ];
        let frame = Frame::draw(picture, area.inside(0.0, 0.0, 44.0, 0.0), &axes, std::iter::empty(), false);
        let image = RgbImage::from_fn(columns as u32, rows as u32, |x, y| {
            let value = self.values[y as usize * columns + x as usize];
            Rgb(Colour::ramp(f64::from(value) / self.largest.max(1e-12)))
        });
        picture.image(frame.area, image, false);
        // What the colours mean.
        let area = Area { x: frame.area.right() + 14.0, width: BAR, ..frame.area };
        let lowest = if self.values.iter().any(|value| *value < 0.0) { -1.0 } else { 0.0 };
        let share = |step: u32| 1.0 - (1.0 - lowest) * f64::from(step) / f64::from(STEPS - 1);
        let image = RgbImage::from_fn(1, STEPS, |_, step| Rgb(Colour::ramp(share(step))));
        picture.image(area, image, false);
        for (share, y) in [(1.0, area.y + 8.0), (lowest, area.bottom())] {
            let text = format!("{}", (share * self.largest * 1000.0).round() / 1000.0);
            picture.text(&text, [area.right() + 4.0, y], TICK);
        }
        edge(picture, area);
    }
}
