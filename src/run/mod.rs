//! Runs and their folders: configuration, metrics, checkpoints and pictures, epoch by epoch.

mod aside;
mod beginning;
mod edited;
mod files;
mod folder;
mod kept;
mod lock;
mod metrics;
mod missing;
mod pictures;
mod place;
mod saving;
mod together;
mod training;

pub use beginning::{Beginning, Parent};
pub use folder::{CONFIG, Run, RunEvent, checkpoint_of_epoch, reconstructions_of_epoch, samples_of_epoch};
pub use kept::{Found, Kept};
pub use lock::RunLock;
pub use metrics::{Columns, METRICS, MetricsLine, TermColumn, read_metrics};
pub use place::{check_folder, make_folder};
pub use saving::LONGEST_WAIT;
pub use together::save_together;
