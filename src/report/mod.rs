//! Plots, and pages about runs and figures.
//!
//! Plots are panels, each of which draws itself into a [`Picture`]; a [`Page`] has several. A picture is SVG, from which a
//! PNG is made.

mod columns;
mod embedding;
pub(crate) mod html;
mod latent;
mod picture;
mod plot;
mod principal;
mod run_report;

pub use crate::data::shell_word;
pub use columns::{
    Unusual, Walk, column_names, distributed_columns, interpolated_columns, reconstructed_columns,
    unusual_rows, varied_columns,
};
pub use embedding::Tsne;
pub(crate) use embedding::neighbours;
pub use picture::{Anchor, Area, Colour, Picture, Style};
pub use plot::{Axis, Bar, Bars, HeatMap, Histogram, Images, Mark, Page, Panel, Plot, Series, Thumbnails};
pub use principal::Pca;
pub(crate) use run_report::duration;
pub use run_report::{REPORT, report_run};
