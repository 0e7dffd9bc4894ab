//! Small images at points of a plot.

use super::axis::Frame;
use super::page::WIDTH;
use crate::picture::rgb;
use crate::report::picture::{Area, Colour, Picture};

/// Images to be drawn at some points, as many as do not overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Thumbnails {
    /// Where each image belongs.
    pub points: Vec<[f32; 2]>,
    /// `[count, height, width, channels]`, in [0, 1]
    pub images: Vec<f32>,
    /// Height, width and channels.
    pub shape: [usize; 3],
    /// The class of each, for the colour of its frame. May be empty.
    pub classes: Vec<u8>,
}

// The longer side of a thumbnail, in units.
const SIDE: f64 = 26.0;
const SHORTEST_SIDE: f64 = 18.0;

impl Thumbnails {
    pub(super) fn draw(&self, picture: &mut Picture, frame: &Frame) {
        let [height, width, channels] = self.shape;
        let long = height.max(width).max(1) as f64;
        let size = (frame.area.width / WIDTH * SIDE).max(SHORTEST_SIDE);
        let [wide, high] = [width, height].map(|extent| size * extent as f64 / long);
        let mut placed: Vec<[f64; 2]> = Vec::new();
        let images = self.images.chunks_exact((height * width * channels).max(1));
        for (number, (point, image)) in self.points.iter().zip(images).enumerate() {
            let Some([x, y]) = frame.place(point.map(f64::from)) else { continue };
            let room = Area { x: x - wide / 2.0, y: y - high / 2.0, width: wide, height: high };
            let inside = room.x > frame.area.x + 2.0
                && room.y > frame.area.y + 2.0
                && room.right() < frame.area.right() - 2.0
                && room.bottom() < frame.area.bottom() - 2.0;
            // Dots must be seen between them.
            let free = placed.iter().all(|[left, above]| (left - x).hypot(above - y) > 1.9 * size);
            if inside && free {
                placed.push([x, y]);
                let class = self.classes.get(number).map(|class| Colour::of_class(usize::from(*class)));
                let edge = room.inside(-1.5, -1.5, -1.5, -1.5);
                picture.rectangle(edge, class.unwrap_or(Colour::Muted));
                picture.image(room, rgb(image, self.shape), true);
            }
        }
    }
}
