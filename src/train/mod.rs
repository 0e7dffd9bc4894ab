//! Training in memory: settings, epochs, validation, checkpoints.

mod begun;
mod checkpoint;
mod checkpoint_bytes;
mod checkpoint_checks;
mod checksums;
mod config;
mod constant;
mod data_config;
mod data_mark;
mod earlier;
mod epoch_state;
mod evaluate;
mod metrics;
mod packed_rows;
mod rewind;
mod schedule;
mod steps;
mod suited;
mod train_config;
mod trainer;
mod transform;

pub use checkpoint::Checkpoint;
pub(crate) use checkpoint_bytes::position;
pub use config::Config;
pub use constant::ConstantModel;
pub use data_config::{DATA, DataConfig};
pub use evaluate::Evaluator;
pub(crate) use evaluate::count;
pub(crate) use metrics::figure;
pub use metrics::{EpochReport, Progress, TermMeans};
pub use packed_rows::packed;
pub use rewind::{OnNan, Rewind};
pub use schedule::ScheduleKind;
pub use train_config::{OptimizerKind, TRAIN, TrainConfig};
pub use trainer::{Reached, Trainer};
pub use transform::{Precision, Transform};
