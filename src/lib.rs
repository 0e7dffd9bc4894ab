//! Autoencoders in handwritten WGSL, trained on any GPU.

#[cfg(feature = "train")]
pub mod data;
mod error;
pub mod gpu;
pub mod graph;
pub mod kernels;
#[cfg(feature = "train")]
pub mod model;
pub mod reference;
#[cfg(feature = "train")]
pub mod report;
#[cfg(feature = "train")]
pub mod train;

pub use error::{Error, Result};
