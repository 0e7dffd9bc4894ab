//! Plots: panels that draw themselves, alone or several on a page.

mod arrows;
mod axis;
mod bars;
mod heat_map;
mod histogram;
mod images;
mod legend;
mod page;
mod series;
mod thumbnails;

pub use axis::Axis;
pub use bars::{Bar, Bars};
pub use heat_map::HeatMap;
pub use histogram::Histogram;
pub use images::Images;
pub use page::{Page, Panel};
pub use series::{Mark, Plot, Series};
pub use thumbnails::Thumbnails;
