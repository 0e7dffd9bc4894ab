//! What people look at: pictures of images, reconstructions and samples.
#![cfg_attr(
    feature = "plot",
    doc = "\nPlots are panels, each of which draws itself into a [`Picture`]; a [`Page`] has several. A picture is written
as SVG or as PNG, from the same list of shapes."
)]

#[cfg(feature = "plot")]
mod embedding;
mod grid;
#[cfg(feature = "plot")]
mod picture;
#[cfg(feature = "plot")]
mod plot;

#[cfg(feature = "plot")]
pub use embedding::{Pca, Tsne, pca};
pub use grid::{Grid, interleaved};
#[cfg(feature = "plot")]
pub use picture::{Anchor, Area, Colour, Picture, Pixels};
#[cfg(feature = "plot")]
pub use plot::{Axis, Page, Panel, Scatter, Series, Thumbnails};
