//! What people look at: pictures of images, reconstructions and samples.
#![cfg_attr(
    feature = "plot",
    doc = "\nPlots are panels, each of which draws itself into a [`Picture`]; a [`Page`] has several. A picture is written
as SVG or as PNG, from the same list of shapes."
)]

#[cfg(feature = "plot")]
mod embedding;
#[cfg(feature = "plot")]
pub(crate) mod html;
#[cfg(feature = "plot")]
mod latent;
#[cfg(feature = "plot")]
mod picture;
#[cfg(feature = "plot")]
mod plot;
#[cfg(feature = "plot")]
mod run_report;
#[cfg(feature = "plot")]
mod shell;

#[cfg(feature = "plot")]
pub(crate) use embedding::sequentially;
#[cfg(feature = "plot")]
pub use embedding::{Pca, Tsne, pca};
#[cfg(feature = "plot")]
pub use picture::{Anchor, Area, Colour, Picture, Pixels};
#[cfg(feature = "plot")]
pub use plot::{
    Axis, Curve, Field, HeatMap, Histogram, Images, Lines, Page, Panel, Quiver, Scatter, Series, Thumbnails,
};
#[cfg(feature = "plot")]
pub(crate) use run_report::duration;
#[cfg(feature = "plot")]
pub use run_report::{REPORT, report_run};
#[cfg(feature = "plot")]
pub use shell::shell_word;
