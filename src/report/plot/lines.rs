//! Curves, such as losses over epochs.

use super::axis::{Axis, Frame};
use super::legend::Legend;
use super::page::Panel;
use crate::report::picture::{Area, Colour, Picture};

/// Curves over one axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// What stands above it.
    pub title: String,
    /// Across and up.
    pub axes: [Axis; 2],
    /// The curves.
    pub curves: Vec<Curve>,
}

/// A line through points, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What the legend calls it.
    pub name: String,
    /// x and y.
    pub points: Vec<[f64; 2]>,
    /// Its colour.
    pub colour: Colour,
    /// Whether it is dashed.
    pub dashed: bool,
}

// With more of them, marks on points would hide the line.
const MARKED: usize = 30;

impl Lines {
    fn names(&self) -> Legend {
        let named = self.curves.iter().filter(|curve| !curve.name.is_empty());
        Legend(named.map(|curve| (curve.name.clone(), curve.colour)).collect())
    }
}

impl Panel for Lines {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        width * 0.5 + self.names().height(width)
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let legend = self.names();
        let below = legend.height(area.width);
        legend.draw(picture, area.inside(0.0, area.height - below, 0.0, 0.0));
        let all = || self.curves.iter().flat_map(|curve| &curve.points);
        let [across, up] = [&self.axes[0], &self.axes[1]];
        let scales =
            [across.scale(all().map(|point| point[0]), 0.03), up.scale(all().map(|point| point[1]), 0.06)];
        let area = area.inside(0.0, 0.0, 0.0, below);
        let frame = Frame::draw(picture, area, [across, up], scales, false);
        for curve in &self.curves {
            let points: Vec<[f64; 2]> = curve.points.iter().filter_map(|point| frame.place(*point)).collect();
            if curve.dashed {
                picture.dashed(&points, curve.colour, 2.0);
            } else {
                picture.line(&points, curve.colour, 2.0);
            }
            if points.len() <= MARKED {
                picture.dots(points, 3.0, curve.colour, 1.0);
            }
        }
    }
}
