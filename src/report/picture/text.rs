//! Text in a font that is built in, so that every machine draws the same.

use std::sync::Arc;

use resvg::usvg::fontdb::{Database, Source};
use ttf_parser::Face;

use super::Colour;

/// The font's name in SVG, followed by similar fonts for readers that lack it.
pub(super) const FAMILY: &str = "'DejaVu Sans', Verdana, sans-serif";

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

/// How a line of text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// The font size, in units of the picture.
    pub size: f64,
    /// Which point of the text is given.
    pub anchor: Anchor,
    /// Its colour.
    pub colour: Colour,
    /// Whether it is bold.
    pub bold: bool,
    /// Whether it is read from below.
    pub upwards: bool,
}

impl Style {
    /// Text that begins at the given point, in the colour of text.
    pub const fn new(size: f64) -> Self {
        Self { size, anchor: Anchor::Start, colour: Colour::Ink, bold: false, upwards: false }
    }

    /// The width of a text, in units of the picture.
    pub(crate) fn width(self, text: &str) -> f64 {
        let Ok(face) = Face::parse(if self.bold { dejavu::sans::bold() } else { dejavu::sans::regular() }, 0)
        else {
            return 0.0;
        };
        let advance = |letter| face.glyph_hor_advance(face.glyph_index(letter).unwrap_or_default());
        let advances = text.chars().map(|letter| f64::from(advance(letter).unwrap_or_default()));
        advances.sum::<f64>() * self.size / f64::from(face.units_per_em())
    }
}

/// Adds the fonts that a PNG is drawn with.
pub(super) fn load_fonts(fonts: &mut Database) {
    for bytes in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_source(Source::Binary(Arc::new(bytes)));
    }
}
