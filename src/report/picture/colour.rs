//! Colours that people who confuse red and green, or blue and yellow, can tell apart.

/// What a shape is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Text and axes.
    Ink,
    /// What stands back: numbers at ticks.
    Muted,
    /// Lines of a grid.
    Rule,
    /// What lies below all: white in a file.
    Paper,
    /// Red, green and blue, the same on every paper.
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
    /// The colour of class or series `number`, over again from the eleventh.
    pub const fn of_class(number: usize) -> Self {
        CLASSES[number % CLASSES.len()]
    }

    /// White at 0, through blue to a deep blue at 1, through orange to a deep brown at -1; beyond as there.
    pub fn ramp(value: f64) -> [u8; 3] {
        let (end, share) = if value < 0.0 { (BELOW, -value) } else { (ABOVE, value) };
        let share = if share.is_nan() { 0.0 } else { share.min(1.0) };
        // Twice towards the end: evenly bright steps need more of them among the dark.
        end.map(|end| {
            let saturated = end + (255.0 - end) * 0.35 * (1.0 - share);
            (255.0 + (saturated - 255.0) * share).round().clamp(0.0, 255.0) as u8
        })
    }

    /// Red, green and blue on white paper.
    pub const fn on_white(self) -> [u8; 3] {
        match self {
            Self::Ink => [0x1f, 0x23, 0x28],
            Self::Muted => [0x59, 0x63, 0x6e],
            Self::Rule => [0xe4, 0xe7, 0xea],
            Self::Paper => [0xff; 3],
            Self::Rgb(rgb) => rgb,
        }
    }
}
