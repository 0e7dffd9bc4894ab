//! Panels in rows, with titles.

use crate::report::picture::{Area, Picture, Style};

/// Units across: what a README shows of a picture.
pub(super) const WIDTH: f64 = 800.0;
const MARGIN: f64 = 12.0;
const GAP: f64 = 18.0;
/// Labels of axes, legends and rows.
pub(super) const LABEL: Style = Style::new(11.0);
const TITLE: Style = Style { bold: true, ..Style::new(13.0) };
const PAGE_TITLE: Style = Style { bold: true, ..Style::new(16.0) };
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

    /// Adds a row of panels of one width.
    pub fn row(&mut self, panels: Vec<Box<dyn Panel>>) {
        self.rows.push(panels);
    }

    /// All of it.
    pub fn picture(&self) -> Picture {
        let lines = wrapped(&self.title, PAGE_TITLE, WIDTH - 2.0 * MARGIN);
        let head = lines.len() as f64 * PAGE_TITLE.size * LINE + if lines.is_empty() { 0.0 } else { 6.0 };
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
    let lines = wrapped(panel.title(), TITLE, width).len() as f64;
    if lines > 0.0 { lines * TITLE.size * LINE + 4.0 } else { 0.0 }
}

fn draw_titled(picture: &mut Picture, panel: &(impl Panel + ?Sized), area: Area, head: f64) {
    write_lines(picture, &wrapped(panel.title(), TITLE, area.width), [area.x, area.y], TITLE);
    let inner = area.inside(0.0, head, 0.0, 0.0);
    let height = panel.height(area.width).min(inner.height);
    panel.draw(picture, Area { height, ..inner });
}

fn write_lines(picture: &mut Picture, lines: &[String], [x, y]: [f64; 2], style: Style) {
    for (number, line) in lines.iter().enumerate() {
        let baseline = y + style.size * (LINE * number as f64 + 1.0);
        picture.text(line, [x, baseline], style);
    }
}

/// Lines of at most `width`, broken between words; a longer word is cut short.
pub(super) fn wrapped(text: &str, style: Style, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if style.width(&longer) <= width {
                *line = longer;
                continue;
            }
        }
        lines.push(shortened(word, style, width));
    }
    lines
}

/// The text, or as much of its beginning as fits with an ellipsis behind it.
pub(super) fn shortened(text: &str, style: Style, width: f64) -> String {
    if style.width(text) <= width {
        return text.to_owned();
    }
    let mut short: String = text.to_owned();
    while short.pop().is_some() {
        let tried = format!("{short}…");
        if style.width(&tried) <= width {
            return tried;
        }
    }
    String::new()
}
