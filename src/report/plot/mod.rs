//! Plots: panels that draw themselves, alone or several on a page.

mod axis;
mod heat_map;
mod histogram;
mod images;
mod legend;
mod lines;
mod page;
mod quiver;
mod scatter;

pub use axis::Axis;
pub use heat_map::HeatMap;
pub use histogram::Histogram;
pub use images::Images;
pub use lines::{Curve, Lines};
pub use page::{Page, Panel};
pub use quiver::{Field, Quiver};
pub use scatter::{Scatter, Series, Thumbnails};
