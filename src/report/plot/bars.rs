//! One bar for each name.

use super::axis::{Axis, Frame};
use super::page::{LABEL, Panel, shortened};
use crate::report::picture::{Anchor, Area, Colour, Picture, Style};

const HIGH: f64 = 18.0;
// Below the bars: ticks and the axis' label.
const FOOT: f64 = 45.0;
// Names take no more of the width.
const MOST_NAMES: f64 = 0.5;

/// A bar and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// What stands beside it.
    pub name: String,
    /// Where it ends; it begins at zero.
    pub value: f64,
    /// Ends of a line over it, such as quartiles.
    pub range: Option<[f64; 2]>,
}

/// Bars from left to right, one below the other. One whose value is not finite is left out, its name stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// What stands above them.
    pub title: String,
    /// Of the values. Without a range it ends with the longest bar.
    pub axis: Axis,
    /// From above.
    pub bars: Vec<Bar>,
}

impl Panel for Bars {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, _: f64) -> f64 {
        HIGH * self.bars.len() as f64 + FOOT
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let longest = self.bars.iter().map(|bar| LABEL.width(&bar.name)).fold(0.0, f64::max);
        let names = longest.min(MOST_NAMES * area.width);
        let ends =
            self.bars.iter().flat_map(|bar| [bar.value, bar.range.map_or(bar.value, |[_, high]| high)]);
        let scale = self.axis.scale(ends.chain([0.0]), 0.0);
        let axis = self.axis.clone().from_to(0.0, scale.high.max(0.0) * 1.02);
        let axes = [axis, Axis::default().from_to(0.0, 1.0)];
        let frame =
            Frame::draw(picture, area.inside(names + 6.0, 0.0, 0.0, 0.0), &axes, std::iter::empty(), false);
        let Area { x, y, height, .. } = frame.area;
        let each = height / self.bars.len().max(1) as f64;
        let right = |value: f64| x + frame.x.share(value).clamp(0.0, 1.0) * frame.area.width;
        let (mut bars, mut lines) = (Vec::new(), Vec::new());
        for (bar, number) in self.bars.iter().zip(0_u32..) {
            let (top, middle) = (y + each * f64::from(number), y + each * (f64::from(number) + 0.5));
            let style = Style { anchor: Anchor::End, ..LABEL };
            picture.text(&shortened(&bar.name, LABEL, names), [x - 6.0, middle + LABEL.size * 0.36], style);
            if bar.value.is_finite() {
                let area = Area { x, y: top + 0.18 * each, width: right(bar.value) - x, height: 0.64 * each };
                bars.push(area.corners().to_vec());
            }
            if let Some(range) = bar.range.filter(|range| range.iter().all(|end| end.is_finite())) {
                lines.push(range.map(|end| [right(end), middle]).to_vec());
            }
        }
        picture.polygons(&bars, Colour::of_class(0), 0.85);
        picture.lines(&lines, Colour::Ink, 1.5);
    }
}
