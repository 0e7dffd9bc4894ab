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
const CLASSES: [u32; 10] =
    [0x3f90da, 0xffa90e, 0xbd1f01, 0x94a4a2, 0x832db6, 0xa96b59, 0xe76300, 0xb9ac70, 0x717581, 0x92dadd];

// The ends of the ramp: deep blue above zero, deep orange below.
const ABOVE: [f64; 3] = [8.0, 48.0, 107.0];
const BELOW: [f64; 3] = [127.0, 59.0, 8.0];

impl Colour {
    /// The colour of class or series `number`; from the eleventh on, colours repeat.
    pub const fn of_class(number: usize) -> Self {
        let [_, red, green, blue] = CLASSES[number % CLASSES.len()].to_be_bytes();
        Self::Rgb([red, green, blue])
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
