//! Runs and their folders: configuration, metrics, checkpoints and pictures, epoch by epoch.

mod files;
mod metrics;
mod pictures;
mod run;

#[cfg(feature = "plot")]
pub(crate) use files::write_whole;
pub use metrics::{Columns, MetricsLine, PER_IMAGE, TermColumn, read_metrics};
pub use run::{CONFIG, METRICS, Run, RunEvent, reconstructions_of_epoch, samples_of_epoch};
