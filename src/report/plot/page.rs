//! Panels in rows, with titles.

use crate::report::picture::{Anchor, Area, Colour, Picture, text_width};

/// Units across: what a README shows of a picture.
pub(super) const WIDTH: f64 = 800.0;
const MARGIN: f64 = 12.0;
const GAP: f64 = 18.0;
const TITLE: f64 = 13.0;
const PAGE_TITLE: f64 = 16.0;
const LINE: f64 = 1.35;

/// Something that draws itself into a rectangle.
pub trait Panel {
    /// What stands above it; it may take several lines.
    fn title(&self) -> &str;

    /// How high it is at this width, without its title.
    fn height(&self, width: f64) -> f64;

    /// Draws it, without its title.
    fn draw(&self, picture: &mut Picture, area: Area);

    /// A picture of it alone, as wide as a README shows it.
    fn picture(&self) -> Picture
    where
        Self: Sized,
    {
        self.picture_at(WIDTH)
    }

    /// A picture of it alone, of the given width in units.
    fn picture_at(&self, across: f64) -> Picture
    where
        Self: Sized,
    {
        let width = across - 2.0 * MARGIN;
        let head = title_height(self, width);
        let mut picture = Picture::new(across, 2.0 * MARGIN + head + self.height(width));
        let area = picture.area().inside(MARGIN, MARGIN, MARGIN, MARGIN);
        draw_titled(&mut picture, self, area, head);
        picture
    }
}

/// Rows of panels under one title.
#[derive(Default)]
pub struct Page {
    title: String,
    rows: Vec<Vec<Box<dyn Panel>>>,
}

impl Page {
    /// A page without panels.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new() }
    }

    /// Adds a row of panels of one width, and gives the page back.
    #[must_use]
    pub fn row(mut self, panels: Vec<Box<dyn Panel>>) -> Self {
        self.rows.push(panels);
        self
    }

    /// All of it.
    pub fn picture(&self) -> Picture {
        let lines = wrapped(&self.title, PAGE_TITLE, true, WIDTH - 2.0 * MARGIN);
        let head = lines.len() as f64 * PAGE_TITLE * LINE + if lines.is_empty() { 0.0 } else { 6.0 };
        let rows: Vec<(f64, f64)> = self.rows.iter().map(|row| extent(row)).collect();
        let gaps = GAP * rows.len().saturating_sub(1) as f64;
        let height = 2.0 * MARGIN + head + rows.iter().map(|(_, height)| height).sum::<f64>() + gaps;
        let mut picture = Picture::new(WIDTH, height);
        write_lines(&mut picture, &lines, [MARGIN, MARGIN], PAGE_TITLE);
        let mut y = MARGIN + head;
        for (row, (width, height)) in self.rows.iter().zip(rows) {
            let mut x = MARGIN;
            let head = head_height(row, width);
            for panel in row {
                draw_titled(&mut picture, panel.as_ref(), Area { x, y, width, height }, head);
                x += width + GAP;
            }
            y += height + GAP;
        }
        picture
    }
}

// Width of each panel of a row, and the height of the highest.
fn extent(row: &[Box<dyn Panel>]) -> (f64, f64) {
    let count = row.len().max(1) as f64;
    let width = (WIDTH - 2.0 * MARGIN - GAP * (count - 1.0)) / count;
    let heights = row.iter().map(|panel| panel.height(width));
    (width, head_height(row, width) + heights.fold(0.0, f64::max))
}

// Of the titles of a row, so that what lies below them begins at one height.
fn head_height(row: &[Box<dyn Panel>], width: f64) -> f64 {
    row.iter().map(|panel| title_height(panel.as_ref(), width)).fold(0.0, f64::max)
}

fn title_height(panel: &(impl Panel + ?Sized), width: f64) -> f64 {
    let lines = wrapped(panel.title(), TITLE, true, width).len() as f64;
    if lines > 0.0 { lines * TITLE * LINE + 4.0 } else { 0.0 }
}

fn draw_titled(picture: &mut Picture, panel: &(impl Panel + ?Sized), area: Area, head: f64) {
    write_lines(picture, &wrapped(panel.title(), TITLE, true, area.width), [area.x, area.y], TITLE);
    let inner = area.inside(0.0, head, 0.0, 0.0);
    let height = panel.height(area.width).min(inner.height);
    panel.draw(picture, Area { height, ..inner });
}

fn write_lines(picture: &mut Picture, lines: &[String], [x, y]: [f64; 2], size: f64) {
    for (number, line) in lines.iter().enumerate() {
        let baseline = y + size * (LINE * number as f64 + 1.0);
        picture.bold(line, [x, baseline], size, Anchor::Start);
    }
}

/// Lines of at most `width`, broken between words; a longer word is cut short.
pub(super) fn wrapped(text: &str, size: f64, bold: bool, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if text_width(&longer, size, bold) <= width {
                *line = longer;
                continue;
            }
        }
        lines.push(shortened(word, size, bold, width));
    }
    lines
}

/// The text, or as much of its beginning as fits with an ellipsis behind it.
pub(super) fn shortened(text: &str, size: f64, bold: bool, width: f64) -> String {
    if text_width(text, size, bold) <= width {
        return text.to_owned();
    }
    let mut short: String = text.to_owned();
    while short.pop().is_some() {
        let tried = format!("{short}…");
        if text_width(&tried, size, bold) <= width {
            return tried;
        }
    }
    String::new()
}

/// Text in the size of labels.
pub(super) fn small(picture: &mut Picture, text: &str, at: [f64; 2], anchor: Anchor) {
    picture.text(text, at, SMALL, anchor, Colour::Ink);
}

/// The size of labels.
pub(super) const SMALL: f64 = 11.0;
