//! Colours that people who confuse red and green, or blue and yellow, can tell apart.

use super::number;

/// What a shape is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Text and axes. On a page, the colour of its text.
    Ink,
    /// Less prominent than [`Colour::Ink`]: numbers at ticks.
    Muted,
    /// Lines of a grid.
    Rule,
    /// Red, green and blue.
    Rgb([u8; 3]),
}

/// Ten colours for classes and series, in order (Petroff 2021, "Accessible Color Sequences for Data
/// Visualization", the sequence of ten).
const CLASSES: [Colour; 10] = [
    Colour::Rgb([0x3f, 0x90, 0xda]),
    Colour::Rgb([0xff, 0xa9, 0x0e]),
    Colour::Rgb([0xbd, 0x1f, 0x01]),
    Colour::Rgb([0x94, 0xa4, 0xa2]),
    Colour::Rgb([0x83, 0x2d, 0xb6]),
    Colour::Rgb([0xa9, 0x6b, 0x59]),
    Colour::Rgb([0xe7, 0x63, 0x00]),
    Colour::Rgb([0xb9, 0xac, 0x70]),
    Colour::Rgb([0x71, 0x75, 0x81]),
    Colour::Rgb([0x92, 0xda, 0xdd]),
];

// The ends of the ramp: deep blue above zero, deep orange below.
const ABOVE: [f64; 3] = [8.0, 48.0, 107.0];
const BELOW: [f64; 3] = [127.0, 59.0, 8.0];

impl Colour {
    /// The colour of class or series `number`; from the eleventh on, colours repeat.
    pub const fn of_class(number: usize) -> Self {
        CLASSES[number % CLASSES.len()]
    }

    /// White at 0, through blue to a deep blue at 1, through orange to a deep brown at -1. Values beyond have the colours of the ends.
    pub fn ramp(value: f64) -> [u8; 3] {
        let (end, share) = if value < 0.0 { (BELOW, -value) } else { (ABOVE, value) };
        let share = if share.is_nan() { 0.0 } else { share.min(1.0) };
        // Twice towards the end: evenly bright steps need more of them among the dark.
        end.map(|end| {
            let saturated = end + (255.0 - end) * 0.35 * (1.0 - share);
            (255.0 + (saturated - 255.0) * share).round().clamp(0.0, 255.0) as u8
        })
    }

    /// The value of an SVG attribute, and the opacity where it is below 1.
    pub(super) fn paint(self, alpha: f64) -> (String, Option<String>) {
        let (value, share) = match self {
            Self::Ink => ("currentColor".to_owned(), 1.0),
            Self::Muted => ("currentColor".to_owned(), 0.75),
            Self::Rule => ("currentColor".to_owned(), 0.12),
            Self::Rgb([red, green, blue]) => (format!("#{red:02x}{green:02x}{blue:02x}"), 1.0),
        };
        let alpha = alpha * share;
        (value, (alpha < 1.0).then(|| number(alpha)))
    }
}
