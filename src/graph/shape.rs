//! The spatial shape that layers see in a tensor's columns.

use std::fmt;

use crate::{Error, Result};

/// Height, width and channels of an image or feature map: what the columns of a [`Tensor`](super::Tensor) hold,
/// channels innermost, so that a batch is `[batch, height, width, channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows of pixels.
    pub height: u32,
    /// Pixels in a row.
    pub width: u32,
    /// Numbers per pixel.
    pub channels: u32,
}

impl Shape {
    /// A shape.
    pub const fn new(height: u32, width: u32, channels: u32) -> Self {
        Self { height, width, channels }
    }

    /// `columns` numbers without height and width.
    pub const fn flat(columns: u32) -> Self {
        Self::new(1, 1, columns)
    }

    /// `height * width * channels`; None beyond what the shaders' 32-bit indices count.
    pub const fn columns(self) -> Option<u32> {
        match self.height.checked_mul(self.width) {
            Some(pixels) => pixels.checked_mul(self.channels),
            None => None,
        }
    }
}

impl TryFrom<[usize; 3]> for Shape {
    type Error = Error;

    /// Height, width and channels as files and data sets count them.
    fn try_from(extents: [usize; 3]) -> Result<Self> {
        let small = extents.map(|extent| u32::try_from(extent).unwrap_or(u32::MAX));
        let shape = Self::new(small[0], small[1], small[2]);
        if shape.columns().is_some_and(|columns| columns > 0) {
            return Ok(shape);
        }
        Err(Error::setting("shape", "images of 1 to 2^32 - 1 numbers", format!("{extents:?}")))
    }
}

impl From<Shape> for [usize; 3] {
    fn from(shape: Shape) -> Self {
        [shape.height, shape.width, shape.channels].map(|extent| extent as usize)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} x {}", self.height, self.width, self.channels)
    }
}
