//! Plots: panels that draw themselves, alone or several on a page.

mod axis;
mod legend;
mod page;
mod scatter;

pub use axis::Axis;
pub use page::{Page, Panel};
pub use scatter::{Scatter, Series, Thumbnails};
