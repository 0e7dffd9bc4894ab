//! Autoencoders in handwritten WGSL, trained on any GPU.

mod error;

pub use error::{Error, Result};
