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
        laid_out("", &[vec![self as &dyn Panel]], across)
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
        let rows: Vec<Vec<&dyn Panel>> =
            self.rows.iter().map(|row| row.iter().map(AsRef::as_ref).collect()).collect();
        laid_out(&self.title, &rows, WIDTH)
    }
}

fn laid_out(title: &str, rows: &[Vec<&dyn Panel>], across: f64) -> Picture {
    let lines = wrapped(title, PAGE_TITLE, across - 2.0 * MARGIN);
    let head = lines.len() as f64 * PAGE_TITLE.size * LINE + if lines.is_empty() { 0.0 } else { 6.0 };
    let rows: Vec<Row<'_>> = rows.iter().map(|row| Row::new(row, across - 2.0 * MARGIN)).collect();
    let gaps = GAP * rows.len().saturating_sub(1) as f64;
    let height = 2.0 * MARGIN + head + rows.iter().map(|row| row.head + row.height).sum::<f64>() + gaps;
    // Whole, so that the SVG and the PNG of twice its size agree.
    let mut picture = Picture::new(across, height.ceil());
    write_lines(&mut picture, &lines, [MARGIN, MARGIN], PAGE_TITLE);
    let mut y = MARGIN + head;
    for Row { panels, width, head, height } in rows {
        for (number, panel) in panels.iter().enumerate() {
            let x = MARGIN + number as f64 * (width + GAP);
            write_lines(&mut picture, &wrapped(panel.title(), TITLE, width), [x, y], TITLE);
            panel.draw(&mut picture, Area { x, y: y + head, width, height: panel.height(width) });
        }
        y += head + height + GAP;
    }
    picture
}

struct Row<'a> {
    panels: &'a [&'a dyn Panel],
    /// Of each panel.
    width: f64,
    /// Of the highest title, so that what lies below the titles begins at one height.
    head: f64,
    /// Of the highest panel, without its title.
    height: f64,
}

impl<'a> Row<'a> {
    fn new(panels: &'a [&'a dyn Panel], across: f64) -> Self {
        let count = panels.len().max(1) as f64;
        let width = (across - GAP * (count - 1.0)) / count;
        let highest = |height: &dyn Fn(&dyn Panel) -> f64| {
            panels.iter().map(|panel| height(*panel)).fold(0.0, f64::max)
        };
        let head = |panel: &dyn Panel| match wrapped(panel.title(), TITLE, width).len() {
            0 => 0.0,
            lines => lines as f64 * TITLE.size * LINE + 4.0,
        };
        Self { panels, width, head: highest(&head), height: highest(&|panel| panel.height(width)) }
    }
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
    let tried = |end: usize| format!("{}…", &text[..end]);
    let ends: Vec<usize> = text.char_indices().map(|(end, _)| end).collect();
    let fitting = ends.partition_point(|end| style.width(&tried(*end)) <= width);
    fitting.checked_sub(1).map_or_else(String::new, |last| tried(ends[last]))
}
