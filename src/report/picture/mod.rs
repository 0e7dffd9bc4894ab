//! A picture as a list of shapes, written as SVG or as PNG.

mod colour;
mod raster;
mod svg;
mod text;

use std::path::Path;

pub use colour::Colour;
pub(crate) use text::width as text_width;

use crate::{Error, Result};

/// A rectangle, in units of which a picture is some 800 wide.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge; y grows downwards.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Area {
    /// What is left inside of margins on the left, above, on the right and below.
    pub fn inside(self, left: f64, above: f64, right: f64, below: f64) -> Self {
        Self {
            x: self.x + left,
            y: self.y + above,
            width: (self.width - left - right).max(0.0),
            height: (self.height - above - below).max(0.0),
        }
    }

    /// Its right edge.
    pub fn right(self) -> f64 {
        self.x + self.width
    }

    /// Its lower edge.
    pub fn bottom(self) -> f64 {
        self.y + self.height
    }
}

/// Which point of a text is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A raster image, RGB, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `[height, width, 3]`
    pub rgb: Vec<u8>,
}

impl Pixels {
    /// An image `[height, width, channels]` with values in [0, 1], beyond which they are clipped; one channel
    /// is grey.
    pub fn from_image(image: &[f32], [height, width, channels]: [usize; 3]) -> Self {
        let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
        let pixel = |pixel: &[f32]| match pixel {
            [red, green, blue] => [byte(*red), byte(*green), byte(*blue)],
            grey => [byte(grey.first().copied().unwrap_or(0.0)); 3],
        };
        let rgb = image.chunks_exact(channels.max(1)).flat_map(pixel).collect();
        Self { width: width as u32, height: height as u32, rgb }
    }
}

/// How a path is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ink {
    Fill,
    Stroke { width: f64, dash: Option<f64> },
}

#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// Polygons, or lines, in one colour.
    Paths {
        paths: Vec<Vec<[f64; 2]>>,
        ink: Ink,
        colour: Colour,
        alpha: f64,
    },
    /// Filled circles of one colour and size.
    Dots {
        centres: Vec<[f64; 2]>,
        radius: f64,
        colour: Colour,
        alpha: f64,
    },
    Image {
        area: Area,
        pixels: Pixels,
        smooth: bool,
    },
    Text(Label),
}

/// A line of text.
#[derive(Clone, Debug, PartialEq)]
struct Label {
    text: String,
    at: [f64; 2],
    size: f64,
    anchor: Anchor,
    colour: Colour,
    bold: bool,
    /// Whether it is read from below.
    upwards: bool,
}

/// Shapes on a sheet of paper. What has a coordinate that is not finite is not drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: f64,
    height: f64,
    shapes: Vec<Shape>,
}

impl Picture {
    /// An empty sheet.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    /// All of it.
    pub fn area(&self) -> Area {
        Area { x: 0.0, y: 0.0, width: self.width, height: self.height }
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, area: Area, colour: Colour, alpha: f64) {
        let Area { x, y, .. } = area;
        let corners = vec![[x, y], [area.right(), y], [area.right(), area.bottom()], [x, area.bottom()]];
        self.polygons(vec![corners], colour, alpha);
    }

    /// Filled polygons.
    pub fn polygons(&mut self, paths: Vec<Vec<[f64; 2]>>, colour: Colour, alpha: f64) {
        self.paths(paths, Ink::Fill, colour, alpha);
    }

    /// A line through points, of the given width.
    pub fn line(&mut self, points: &[[f64; 2]], colour: Colour, width: f64) {
        self.lines(vec![points.to_vec()], colour, width, 1.0);
    }

    /// The same, dashed.
    pub fn dashed(&mut self, points: &[[f64; 2]], colour: Colour, width: f64) {
        let ink = Ink::Stroke { width, dash: Some(3.0 * width) };
        self.paths(vec![points.to_vec()], ink, colour, 1.0);
    }

    /// Lines through points, of the given width.
    pub fn lines(&mut self, paths: Vec<Vec<[f64; 2]>>, colour: Colour, width: f64, alpha: f64) {
        self.paths(paths, Ink::Stroke { width, dash: None }, colour, alpha);
    }

    fn paths(&mut self, mut paths: Vec<Vec<[f64; 2]>>, ink: Ink, colour: Colour, alpha: f64) {
        paths.retain(|path| path.len() > 1 && path.iter().flatten().all(|number| number.is_finite()));
        if !paths.is_empty() {
            self.shapes.push(Shape::Paths { paths, ink, colour, alpha });
        }
    }

    /// Filled circles.
    pub fn dots(&mut self, mut centres: Vec<[f64; 2]>, radius: f64, colour: Colour, alpha: f64) {
        centres.retain(|centre| centre.iter().all(|number| number.is_finite()));
        if !centres.is_empty() {
            self.shapes.push(Shape::Dots { centres, radius, colour, alpha });
        }
    }

    /// A raster image that fills `area`; `smooth` where its pixels are not to be seen as squares.
    pub fn image(&mut self, area: Area, pixels: Pixels, smooth: bool) {
        let whole = pixels.rgb.len() == pixels.width as usize * pixels.height as usize * 3;
        if whole && !pixels.rgb.is_empty() {
            self.shapes.push(Shape::Image { area, pixels, smooth });
        }
    }

    /// A line of text whose baseline begins, has its middle or ends at `at`.
    pub fn text(&mut self, text: &str, at: [f64; 2], size: f64, anchor: Anchor, colour: Colour) {
        self.label(Label { text: text.to_owned(), at, size, anchor, colour, bold: false, upwards: false });
    }

    /// The same, bold.
    pub fn bold(&mut self, text: &str, at: [f64; 2], size: f64, anchor: Anchor) {
        let text = text.to_owned();
        self.label(Label { text, at, size, anchor, colour: Colour::Ink, bold: true, upwards: false });
    }

    /// The same, to be read from below.
    pub fn upwards(&mut self, text: &str, at: [f64; 2], size: f64, anchor: Anchor, colour: Colour) {
        let text = text.to_owned();
        self.label(Label { text, at, size, anchor, colour, bold: false, upwards: true });
    }

    fn label(&mut self, label: Label) {
        if !label.text.is_empty() && label.at.iter().all(|number| number.is_finite()) {
            self.shapes.push(Shape::Text(label));
        }
    }

    /// As a file of SVG, on white.
    pub fn svg(&self) -> String {
        svg::write(self, svg::Place::File)
    }

    /// As an element of an HTML page, in whose colours text and axes are drawn; `label` is for those who cannot
    /// see it.
    pub fn svg_element(&self, label: &str) -> String {
        svg::write(self, svg::Place::Element(label))
    }

    /// As PNG, on white, two pixels a unit.
    ///
    /// # Errors
    /// [`Error::Shape`] for a picture without extent or beyond what a PNG can hold.
    pub fn png(&self) -> Result<Vec<u8>> {
        raster::png(self)
    }

    /// Writes SVG or PNG, as `path` ends.
    ///
    /// # Errors
    /// [`Error::Setting`] for another ending, [`Error::Io`], and as [`Picture::png`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let bytes = match path.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => self.svg().into_bytes(),
            Some("png") => self.png()?,
            _ => return Err(Error::setting("picture", "a name ending in .svg or .png", path.display())),
        };
        std::fs::write(path, bytes).map_err(Error::io("write", path))
    }
}
