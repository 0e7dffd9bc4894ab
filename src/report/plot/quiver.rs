//! Arrows over points: a vector field on data.

use super::axis::{Axis, Frame};
use super::legend::Legend;
use super::page::Panel;
use super::scatter::Series;
use crate::report::picture::{Area, Colour, Picture};

/// Fields of arrows over points, with the same units on both axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quiver {
    /// What stands above it.
    pub title: String,
    /// Across and up.
    pub axes: [Axis; 2],
    /// What lies below the arrows.
    pub points: Vec<Series>,
    /// The fields.
    pub fields: Vec<Field>,
    /// What the vectors are multiplied by; 0 for what lets half of the arrows reach their neighbours. Longer
    /// ones are cut there.
    pub scale: f64,
}

/// Arrows of one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What the legend calls it.
    pub name: String,
    /// Where each arrow begins.
    pub from: Vec<[f32; 2]>,
    /// Where it goes, from there, before it is scaled.
    pub along: Vec<[f32; 2]>,
    /// Its colour.
    pub colour: Colour,
}

// An arrow's head, in units.
const HEAD: f64 = 3.6;

impl Quiver {
    fn names(&self) -> Legend {
        let points = self.points.iter().map(|series| (&series.name, series.colour));
        let fields = self.fields.iter().map(|field| (&field.name, field.colour));
        let named = points.chain(fields).filter(|(name, _)| !name.is_empty());
        Legend(named.map(|(name, colour)| (name.clone(), colour)).collect())
    }

    // Of the frame's width, what each arrow of a square of them has.
    fn room(&self, across: f64) -> f64 {
        let count = self.fields.iter().map(|field| field.from.len()).max().unwrap_or(1).max(1);
        across / (count as f64).sqrt()
    }

    fn factor(&self, room: f64) -> f64 {
        if self.scale > 0.0 {
            return self.scale;
        }
        let along = self.fields.iter().flat_map(|field| &field.along);
        let lengths = along.map(|[x, y]| f64::from(x.hypot(*y)));
        let mut lengths: Vec<f64> = lengths.filter(|length| length.is_finite()).collect();
        lengths.sort_by(f64::total_cmp);
        room / lengths.get(lengths.len() / 2).copied().unwrap_or(1.0).max(1e-12)
    }
}

impl Panel for Quiver {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        width * 0.95 + self.names().height(width)
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let legend = self.names();
        let below = legend.height(area.width);
        legend.draw(picture, area.inside(0.0, area.height - below, 0.0, 0.0));
        let points = || self.points.iter().flat_map(|series| &series.points);
        let all = || points().chain(self.fields.iter().flat_map(|field| &field.from));
        let [across, up] = [&self.axes[0], &self.axes[1]];
        let x = across.scale(all().map(|[x, _]| f64::from(*x)), 0.06);
        let y = up.scale(all().map(|[_, y]| f64::from(*y)), 0.06);
        let frame = Frame::draw(picture, area.inside(0.0, 0.0, 0.0, below), [across, up], [x, y], true);
        for series in &self.points {
            let centres =
                series.points.iter().filter_map(|point| frame.place(point.map(f64::from))).collect();
            picture.dots(centres, 1.2, series.colour, 0.8);
        }
        let room = self.room(frame.x.high - frame.x.low);
        let factor = self.factor(room);
        for (number, field) in self.fields.iter().enumerate() {
            // What lies below is broader, so that it is seen on both sides of what lies above.
            let width = 1.0 + 1.4 * (self.fields.len() - 1 - number) as f64;
            field.draw(picture, &frame, [factor, room], width);
        }
    }
}

impl Field {
    fn draw(&self, picture: &mut Picture, frame: &Frame, [factor, longest]: [f64; 2], width: f64) {
        let (mut shafts, mut heads) = (Vec::new(), Vec::new());
        for (from, along) in self.from.iter().zip(&self.along) {
            let factor = factor.min(longest / f64::from(along[0].hypot(along[1])).max(1e-12));
            let to = [0, 1].map(|axis| f64::from(from[axis]) + factor * f64::from(along[axis]));
            let (Some(tail), Some(tip)) = (frame.place(from.map(f64::from)), frame.place(to)) else {
                continue;
            };
            let (dx, dy) = (tip[0] - tail[0], tip[1] - tail[1]);
            let length = dx.hypot(dy);
            if length < 0.3 {
                continue;
            }
            let (ux, uy) = (dx / length, dy / length);
            // Short arrows get short heads.
            let head = (HEAD + 1.5 * (width - 1.0)).min(0.6 * length);
            let neck = [tip[0] - head * ux, tip[1] - head * uy];
            let side = 0.42 * head;
            shafts.push(vec![tail, neck]);
            heads.push(vec![
                tip,
                [neck[0] - side * uy, neck[1] + side * ux],
                [neck[0] + side * uy, neck[1] - side * ux],
            ]);
        }
        picture.lines(shafts, self.colour, width, 1.0);
        picture.polygons(heads, self.colour, 1.0);
    }
}
