//! Small images in rows, each row with its name.

use super::page::{Panel, SMALL, small, wrapped};
use crate::report::picture::{Anchor, Area, Picture, Pixels, text_width};

/// Rows of images `[height, width, channels]` with values in [0, 1].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Images {
    /// What stands above them.
    pub title: String,
    /// Height, width and channels (1 or 3) of each image.
    pub shape: [usize; 3],
    /// Images in a row.
    pub columns: usize,
    /// The name of each row, which may be empty, and its images `[count, pixels]`. Where it has more than
    /// fit in a row it takes several.
    pub rows: Vec<(String, Vec<f32>)>,
}

const LABEL: f64 = 92.0;
const GAP: f64 = 2.0;
// What a line of the picture is drawn with: half a unit.
const FINEST: f64 = 0.5;

impl Images {
    fn pixels(&self) -> usize {
        self.shape.iter().product::<usize>().max(1)
    }

    fn label_width(&self) -> f64 {
        let lines = self.rows.iter().flat_map(|(name, _)| wrapped(name, SMALL, false, LABEL));
        let widest = lines.map(|line| text_width(&line, SMALL, false)).fold(0.0, f64::max);
        if widest > 0.0 { widest + 8.0 } else { 0.0 }
    }

    // Width and height of an image: a pixel is a whole number of the finest squares where there is room.
    fn cell(&self, width: f64) -> [f64; 2] {
        let columns = self.columns.max(1) as f64;
        let room = (width - self.label_width() - GAP * (columns - 1.0)) / columns;
        let [height, across] = [self.shape[0].max(1) as f64, self.shape[1].max(1) as f64];
        let zoom = room / across;
        let zoom = if zoom >= FINEST { (zoom / FINEST).floor() * FINEST } else { zoom };
        [zoom * across, zoom * height]
    }

    // Of images, in each of `rows`.
    fn lines(&self, images: &[f32]) -> usize {
        (images.len() / self.pixels()).div_ceil(self.columns.max(1))
    }
}

impl Panel for Images {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        let lines: usize = self.rows.iter().map(|(_, images)| self.lines(images)).sum();
        lines as f64 * (self.cell(width)[1] + GAP)
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let [wide, high] = self.cell(area.width);
        let left = area.x + self.label_width();
        let mut y = area.y;
        for (name, images) in &self.rows {
            let lines = wrapped(name, SMALL, false, LABEL);
            let row = high * self.lines(images).max(1) as f64;
            let first = y + row / 2.0 - 0.65 * SMALL * (lines.len() as f64 - 1.0) + 0.36 * SMALL;
            for (number, line) in lines.iter().enumerate() {
                small(picture, line, [area.x, first + 1.3 * SMALL * number as f64], Anchor::Start);
            }
            for line in images.chunks(self.pixels() * self.columns.max(1)) {
                for (column, image) in line.chunks_exact(self.pixels()).enumerate() {
                    let x = left + column as f64 * (wide + GAP);
                    let room = Area { x, y, width: wide, height: high };
                    let smooth = wide < FINEST * self.shape[1] as f64;
                    picture.image(room, Pixels::from_image(image, self.shape), smooth);
                }
                y += high + GAP;
            }
        }
    }
}
