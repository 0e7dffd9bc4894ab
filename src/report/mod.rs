//! What people look at: pictures of images, reconstructions and samples.

mod grid;

pub use grid::{Grid, interleaved};
