//! Autoencoders in handwritten WGSL, trained on any GPU.

#[cfg(feature = "data")]
pub mod data;
mod error;
pub mod gpu;
pub mod kernels;
pub mod reference;

pub use error::{Error, Result};
