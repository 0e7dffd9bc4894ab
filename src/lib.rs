//! Autoencoders in handwritten WGSL, trained on any GPU.

#[cfg(feature = "data")]
pub mod data;
mod error;

pub use error::{Error, Result};
