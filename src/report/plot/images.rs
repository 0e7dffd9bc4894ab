//! Small images in rows, each row with its name.

use super::page::{LABEL, Panel, wrapped};
use crate::picture::rgb;
use crate::report::picture::{Area, Picture};

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

// The widest that a name can be.
const NAME: f64 = 92.0;
const GAP: f64 = 2.0;
// What a line of the picture is drawn with: half a unit.
const FINEST: f64 = 0.5;
// Of the width, what whole squares must fill.
const MOST_EMPTY: f64 = 0.87;
const LARGEST: f64 = 4.0;
const LINE: f64 = 1.3;

impl Images {
    /// Images `[height, width, channels]` in rows of `columns`, each row with its name.
    pub fn new(
        title: &str,
        shape: [usize; 3],
        columns: usize,
        rows: impl IntoIterator<Item = (impl Into<String>, Vec<f32>)>,
    ) -> Self {
        let rows = rows.into_iter().map(|(name, images)| (name.into(), images)).collect();
        Self { title: title.to_owned(), shape, columns, rows }
    }

    fn pixels(&self) -> usize {
        self.shape.iter().product::<usize>().max(1)
    }

    fn label_width(&self) -> f64 {
        let lines = self.rows.iter().flat_map(|(name, _)| wrapped(name, LABEL, NAME));
        let widest = lines.map(|line| LABEL.width(&line)).fold(0.0, f64::max);
        if widest > 0.0 { widest + 8.0 } else { 0.0 }
    }

    // Width and height of an image. A pixel is a whole number of the finest squares, where that does not
    // leave too much room empty.
    fn cell(&self, width: f64) -> Cell {
        let columns = self.columns.max(1) as f64;
        let room = (width - self.label_width() - GAP * (columns - 1.0)) / columns;
        let [height, across] = [self.shape[0].max(1) as f64, self.shape[1].max(1) as f64];
        let zoom = (room / across).min(LARGEST);
        let whole = (zoom / FINEST).floor() * FINEST;
        let smooth = whole < MOST_EMPTY * zoom;
        let zoom = if smooth { zoom } else { whole };
        Cell { wide: zoom * across, high: zoom * height, smooth }
    }

    // As high as its images or its name, whichever is higher.
    fn row_height(&self, cell: Cell, (name, images): &(String, Vec<f32>)) -> f64 {
        let names = wrapped(name, LABEL, NAME).len() as f64 * LINE * LABEL.size;
        let lines = (images.len() / self.pixels()).div_ceil(self.columns.max(1)) as f64;
        (lines * (cell.high + GAP)).max(names + GAP)
    }
}

#[derive(Clone, Copy)]
struct Cell {
    wide: f64,
    high: f64,
    smooth: bool,
}

impl Panel for Images {
    fn title(&self) -> &str {
        &self.title
    }

    fn height(&self, width: f64) -> f64 {
        let cell = self.cell(width);
        self.rows.iter().map(|row| self.row_height(cell, row)).sum()
    }

    fn draw(&self, picture: &mut Picture, area: Area) {
        let cell = self.cell(area.width);
        let left = area.x + self.label_width();
        let mut top = area.y;
        for row in &self.rows {
            let (name, images) = row;
            let height = self.row_height(cell, row);
            let lines = wrapped(name, LABEL, NAME);
            let first = top + height / 2.0 - 0.5 * LINE * LABEL.size * (lines.len() as f64 - 1.0)
                + 0.36 * LABEL.size
                - GAP / 2.0;
            for (number, line) in lines.iter().enumerate() {
                picture.text(line, [area.x, first + LINE * LABEL.size * number as f64], LABEL);
            }
            for (number, image) in images.chunks_exact(self.pixels()).enumerate() {
                let (line, column) = (number / self.columns.max(1), number % self.columns.max(1));
                let x = left + column as f64 * (cell.wide + GAP);
                let y = top + line as f64 * (cell.high + GAP);
                let room = Area { x, y, width: cell.wide, height: cell.high };
                picture.image(room, rgb(image, self.shape), cell.smooth);
            }
            top += height;
        }
    }
}
