//! Names beside their colours, in as many lines as they need.

use super::page::{LABEL, shortened};
use crate::report::picture::{Area, Colour, Picture};

const LINE: f64 = 17.0;
const MARK: f64 = 14.0;
const SPACE: f64 = 14.0;

/// Entries of a legend.
pub(super) struct Legend<'a>(Vec<(&'a str, Colour)>);

impl<'a> Legend<'a> {
    /// What has no name is left out.
    pub(super) fn new(entries: impl Iterator<Item = (&'a str, Colour)>) -> Self {
        Self(entries.filter(|(name, _)| !name.is_empty()).collect())
    }

    /// How high it is at this width.
    pub(super) fn height(&self, width: f64) -> f64 {
        self.places(width).last().map_or(0.0, |(_, [_, y])| y + LINE + 4.0)
    }

    /// Draws it at the bottom of `area`, and returns the rest of the area above it.
    pub(super) fn draw(&self, picture: &mut Picture, area: Area) -> Area {
        let rest = area.inside(0.0, 0.0, 0.0, self.height(area.width));
        for ((name, [x, y]), (_, colour)) in self.places(area.width).into_iter().zip(&self.0) {
            let (x, middle) = (area.x + x, rest.bottom() + y + LINE / 2.0 + 4.0);
            picture.dots(&[[x + 4.0, middle]], 4.0, *colour, 1.0);
            picture.text(&name, [x + MARK, middle + LABEL.size * 0.36], LABEL);
        }
        rest
    }

    // Each name, as far as it fits, and where its entry begins.
    fn places(&self, width: f64) -> Vec<(String, [f64; 2])> {
        let (mut x, mut y) = (0.0, 0.0);
        let mut places = Vec::new();
        for (name, _) in &self.0 {
            let name = shortened(name, LABEL, width - MARK);
            let wide = MARK + LABEL.width(&name);
            if x > 0.0 && x + wide > width {
                (x, y) = (0.0, y + LINE);
            }
            places.push((name, [x, y]));
            x += wide + SPACE;
        }
        places
    }
}
