//! Training as people expect it: epochs, validation, checkpoints, runs that resume bit for bit.

mod bound;
mod checkpoint;
mod checkpoint_file;
mod codes;
mod config;
mod evaluate;
mod infer;
mod interpolate;
mod jacobian;
mod metrics;
mod pictures;
mod run;
mod schedule;
mod score;
mod trainer;

pub use bound::{ActiveUnits, ImportanceBound};
pub use checkpoint::{Checkpoint, NamedTensor};
#[cfg(feature = "plot")]
pub(crate) use checkpoint_file::write_whole;
pub use codes::{prior_grid, traversals};
pub use config::{Config, DataConfig, OptimizerKind, TrainConfig};
pub use evaluate::{Evaluation, Evaluator, packed};
pub use infer::{Decoder, Reconstructions, Reconstructor, prior_codes};
pub use interpolate::Interpolation;
pub use jacobian::JacobianNorms;
pub use metrics::{EpochReport, Losses, PER_IMAGE, Progress, json_line};
pub use run::{Run, RunEvent};
pub use schedule::{ScheduleKind, WarmupKind};
pub use score::ScoreField;
pub use trainer::Trainer;
