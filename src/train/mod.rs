//! Training in memory: settings, epochs, validation, checkpoints.

mod checkpoint;
mod checkpoint_bytes;
mod checkpoint_checks;
mod checksums;
mod config;
mod constant;
mod data_config;
mod earlier;
mod evaluate;
mod metrics;
mod schedule;
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
pub use metrics::{EpochReport, Progress, TermMeans};
pub use schedule::ScheduleKind;
pub use train_config::{OptimizerKind, TRAIN, TrainConfig};
pub use trainer::Trainer;
pub use transform::{Precision, Transform, packed};
