//! Names beside their colours, in as many lines as they need.

use super::page::{SMALL, shortened, small};
use crate::report::picture::{Anchor, Area, Colour, Picture, text_width};

const LINE: f64 = 17.0;
const MARK: f64 = 14.0;
const SPACE: f64 = 14.0;

/// Entries of a legend.
pub(super) struct Legend(pub(super) Vec<(String, Colour)>);

impl Legend {
    /// How high it is at this width.
    pub(super) fn height(&self, width: f64) -> f64 {
        self.places(width).last().map_or(0.0, |(_, [_, y])| y + LINE + 4.0)
    }

    /// Draws it at the top of `area`.
    pub(super) fn draw(&self, picture: &mut Picture, area: Area) {
        for ((name, [x, y]), (_, colour)) in self.places(area.width).into_iter().zip(&self.0) {
            let (x, middle) = (area.x + x, area.y + y + LINE / 2.0 + 4.0);
            picture.dots(vec![[x + 4.0, middle]], 4.0, *colour, 1.0);
            small(picture, &name, [x + MARK, middle + SMALL * 0.36], Anchor::Start);
        }
    }

    // Each name, as far as it fits, and where its entry begins.
    fn places(&self, width: f64) -> Vec<(String, [f64; 2])> {
        let (mut x, mut y) = (0.0, 0.0);
        let mut places = Vec::new();
        for (name, _) in &self.0 {
            let name = shortened(name, SMALL, false, width - MARK);
            let wide = MARK + text_width(&name, SMALL, false);
            if x > 0.0 && x + wide > width {
                (x, y) = (0.0, y + LINE);
            }
            places.push((name, [x, y]));
            x += wide + SPACE;
        }
        places
    }
}
