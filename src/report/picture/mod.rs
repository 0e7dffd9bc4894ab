//! A picture, as SVG. A PNG is made from the SVG, so that both show the same.

mod colour;
mod raster;
mod text;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::png::CompressionType;
use maud::{Markup, PreEscaped, html};

pub use colour::Colour;
pub use text::{Anchor, Style};

use crate::data::written::write_whole;
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
    /// The rest, without margins on the left, above, on the right and below.
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

    /// Its corners, clockwise from the upper left.
    pub fn corners(self) -> [[f64; 2]; 4] {
        let (right, bottom) = (self.right(), self.bottom());
        [[self.x, self.y], [right, self.y], [right, bottom], [self.x, bottom]]
    }
}

/// Shapes on a sheet of paper. What has a coordinate that is not finite is not drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    width: f64,
    height: f64,
    /// Elements of SVG.
    shapes: String,
}

impl Picture {
    /// An empty sheet.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: String::new() }
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, area: Area, colour: Colour) {
        self.polygons(&[area.corners().to_vec()], colour, 1.0);
    }

    /// Filled polygons, with an opacity from 0 to 1.
    pub fn polygons(&mut self, polygons: &[Vec<[f64; 2]>], colour: Colour, alpha: f64) {
        let d = path(polygons, "Z");
        if !d.is_empty() {
            let (fill, alpha) = colour.paint(alpha);
            self.add(&html! { path fill=(fill) fill-opacity=[alpha] d=(d) {} });
        }
    }

    /// Lines through points.
    pub fn lines(&mut self, lines: &[Vec<[f64; 2]>], colour: Colour, width: f64) {
        self.stroke(&path(lines, ""), colour, width, 1.0);
    }

    /// Filled circles, with an opacity from 0 to 1.
    pub fn dots(&mut self, centres: &[[f64; 2]], radius: f64, colour: Colour, alpha: f64) {
        // A line without length and with round ends is a dot, in a tenth of what a circle takes.
        let dots: Vec<Vec<[f64; 2]>> = centres.iter().map(|centre| vec![*centre]).collect();
        self.stroke(&path(&dots, "h0"), colour, 2.0 * radius, alpha);
    }

    fn stroke(&mut self, d: &str, colour: Colour, width: f64, alpha: f64) {
        if !d.is_empty() {
            let (stroke, alpha) = colour.paint(alpha);
            self.add(&html! {
                path fill="none" stroke=(stroke) stroke-opacity=[alpha] stroke-width=(number(width))
                    stroke-linejoin="round" stroke-linecap="round" d=(d) {}
            });
        }
    }

    /// A raster image that fills `area`; `smooth` where its pixels must not be seen as squares.
    pub fn image(&mut self, area: Area, image: RgbImage, smooth: bool) {
        if image.is_empty() {
            return;
        }
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(number);
        let style = format!("image-rendering:{}", if smooth { "smooth" } else { "pixelated" });
        let data = STANDARD.encode(crate::picture::png(image, CompressionType::Best).unwrap_or_default());
        self.add(&html! {
            image x=(x) y=(y) width=(width) height=(height) preserveAspectRatio="none" style=(style)
                href={ "data:image/png;base64," (data) } {}
        });
    }

    /// A line of text whose baseline begins, has its middle or ends at `at`.
    pub fn text(&mut self, text: &str, at: [f64; 2], style: Style) {
        if text.is_empty() || at.iter().any(|number| !number.is_finite()) {
            return;
        }
        let [x, y] = at.map(number);
        let anchor = match style.anchor {
            Anchor::Start => None,
            Anchor::Middle => Some("middle"),
            Anchor::End => Some("end"),
        };
        let turn = style.upwards.then(|| format!("rotate(-90 {x} {y})"));
        let (fill, alpha) = style.colour.paint(1.0);
        // Its width is given, so that no reader's font makes it run into its neighbour.
        let width = number(style.width(text));
        self.add(&html! {
            text x=(x) y=(y) font-size=(number(style.size)) fill=(fill) fill-opacity=[alpha] text-anchor=[anchor]
                font-weight=[style.bold.then_some("bold")] transform=[turn] textLength=(width)
                lengthAdjust="spacingAndGlyphs" { (printable(text)) }
        });
    }

    fn add(&mut self, element: &Markup) {
        self.shapes.push_str(&element.0);
        self.shapes.push('\n');
    }

    /// As a file of SVG, on white.
    pub fn svg(&self) -> String {
        let [width, height] = [self.width, self.height].map(number);
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox=(self.view_box()) width=(width) height=(height)
                color="#1f2328" font-family=(text::FAMILY) {
                rect width=(width) height=(height) fill="#fff" {}
                (PreEscaped(&self.shapes))
            }
        };
        svg.into_string()
    }

    /// As an element of an HTML page, in whose colours text and axes are drawn; `label` is for those who cannot
    /// see it.
    pub fn svg_element(&self, label: &str) -> String {
        let svg = html! {
            svg viewBox=(self.view_box()) font-family=(text::FAMILY) role="img" aria-label=(printable(label)) {
                (PreEscaped(&self.shapes))
            }
        };
        svg.into_string()
    }

    fn view_box(&self) -> String {
        format!("0 0 {} {}", number(self.width), number(self.height))
    }

    /// As PNG, on white, two pixels per unit.
    ///
    /// # Errors
    /// [`Error::Shape`] for a picture without extent or beyond what a PNG can hold.
    pub fn png(&self) -> Result<Vec<u8>> {
        raster::png(self)
    }

    /// Writes SVG or PNG, as `path` ends, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Setting`] for another ending, [`Error::Io`], and as [`Picture::png`].
    pub fn save(&self, path: &Path) -> Result<()> {
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
        let bytes = match ending.as_deref() {
            Some("svg") => self.svg().into_bytes(),
            Some("png") => self.png()?,
            _ => return Err(Error::setting("picture", "a name ending in .svg or .png", path.display())),
        };
        write_whole(path, &bytes)
    }
}

// Each path from point to point, and `end` behind its last.
fn path(paths: &[Vec<[f64; 2]>], end: &str) -> String {
    let mut d = String::new();
    let drawn =
        |path: &&Vec<[f64; 2]>| !path.is_empty() && path.iter().flatten().all(|number| number.is_finite());
    for path in paths.iter().filter(drawn) {
        for (place, [x, y]) in path.iter().enumerate() {
            let command = if place == 0 { 'M' } else { 'L' };
            d += &format!("{command}{} {}", number(*x), number(*y));
        }
        d += end;
    }
    d
}

// XML 1.0 forbids most control characters even as references.
fn printable(text: &str) -> String {
    let forbidden = |letter: char| letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}');
    text.replace(forbidden, "\u{fffd}")
}

// A hundredth of a unit is less than anybody sees.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
