//! Adapter choice, device, buffers, pipelines and their cache, and which kernel variants a device gets.

mod adapter;
mod choice;
mod device;
mod measured;
mod pipeline;
mod readback;
mod selector;
mod stopwatch;
mod upload;
mod variants;

pub use adapter::{AdapterSummary, adapters, shortfall};
pub use choice::{Product, ProductKind, ShapeClass, Variants};
pub use device::{Gpu, GpuOptions, Kernels};
pub use measured::Measured;
pub use pipeline::{Launch, Pipeline};
pub use readback::{Download, read_words};
pub use selector::{Selector, choose};
pub use stopwatch::{
    Clock, Lap, fastest_round, fitting_rounds, seconds as seconds_of_stamps, time, time_submits,
};
pub use upload::Upload;
pub use variants::MatMulVariant;
