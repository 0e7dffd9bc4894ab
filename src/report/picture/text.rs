//! Text as the outlines of a font that is built in: every machine draws the same.

use ttf_parser::{Face, GlyphId, OutlineBuilder};

use super::{Anchor, Label};

/// The font's name in SVG, and those of near kin for readers that lack it.
pub(super) const FAMILY: &str = "'DejaVu Sans', Verdana, sans-serif";

fn face(bold: bool) -> Option<Face<'static>> {
    let bytes = if bold { dejavu::sans::bold() } else { dejavu::sans::regular() };
    Face::parse(bytes, 0).ok()
}

/// The width of a text, in units of the picture.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    face(bold).map_or(0.0, |face| measure(&face, text) * size / f64::from(face.units_per_em()))
}

fn glyph(face: &Face<'_>, letter: char) -> GlyphId {
    face.glyph_index(letter).unwrap_or_default()
}

fn advance(face: &Face<'_>, glyph: GlyphId) -> f64 {
    f64::from(face.glyph_hor_advance(glyph).unwrap_or_default())
}

fn measure(face: &Face<'_>, text: &str) -> f64 {
    text.chars().map(|letter| advance(face, glyph(face, letter))).sum()
}

/// A step of an outline, in the picture's coordinates.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stroke {
    Move([f64; 2]),
    Line([f64; 2]),
    Quad([f64; 2], [f64; 2]),
    Cubic([f64; 2], [f64; 2], [f64; 2]),
    Close,
}

/// The outlines of a label, to be filled.
pub(super) fn outlines(label: &Label) -> Vec<Stroke> {
    let Some(face) = face(label.bold) else { return Vec::new() };
    let scale = label.size / f64::from(face.units_per_em());
    let back = match label.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => 0.5,
        Anchor::End => 1.0,
    };
    let begin = -back * measure(&face, &label.text);
    let mut outline = Outline { strokes: Vec::new(), scale, along: begin, label };
    for letter in label.text.chars() {
        let glyph = glyph(&face, letter);
        face.outline_glyph(glyph, &mut outline);
        outline.along += advance(&face, glyph);
    }
    outline.strokes
}

struct Outline<'a> {
    strokes: Vec<Stroke>,
    scale: f64,
    /// Where the glyph begins, in the font's units.
    along: f64,
    label: &'a Label,
}

impl Outline<'_> {
    // The font's y grows upwards.
    fn place(&self, x: f32, y: f32) -> [f64; 2] {
        let (x, y) = ((self.along + f64::from(x)) * self.scale, f64::from(y) * self.scale);
        let [left, baseline] = self.label.at;
        if self.label.upwards { [left - y, baseline - x] } else { [left + x, baseline - y] }
    }
}

impl OutlineBuilder for Outline<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        self.strokes.push(Stroke::Move(self.place(x, y)));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.strokes.push(Stroke::Line(self.place(x, y)));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.strokes.push(Stroke::Quad(self.place(x1, y1), self.place(x, y)));
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.strokes.push(Stroke::Cubic(self.place(x1, y1), self.place(x2, y2), self.place(x, y)));
    }

    fn close(&mut self) {
        self.strokes.push(Stroke::Close);
    }
}
