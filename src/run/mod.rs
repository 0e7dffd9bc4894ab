//! Runs and their folders: configuration, metrics, checkpoints and pictures, epoch by epoch.

mod files;
mod folder;
mod metrics;
mod pictures;
mod training;

pub use folder::{
    Beginning, CONFIG, METRICS, Run, RunEvent, checkpoint_of_epoch, reconstructions_of_epoch,
    samples_of_epoch,
};
pub use metrics::{Columns, MetricsLine, TermColumn, read_metrics};
pub use training::LONGEST_WAIT;
