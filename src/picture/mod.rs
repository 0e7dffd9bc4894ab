//! Pictures of images: grids as PNG.

mod grid;

pub use grid::{Grid, interleaved};
