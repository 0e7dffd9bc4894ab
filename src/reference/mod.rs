//! The CPU twin of every kernel: plain loops that accumulate in f64, one stem per shader.
//!
//! Slow and obvious on purpose: this is what the shaders are held against.

pub mod activation;
pub mod batch;
pub mod ceiling;
pub mod compare;
pub mod corruption;
pub mod latent;
pub mod loss;
pub mod matmul;
pub mod optimizer;
pub mod philox;
pub mod random;
pub mod record;
pub mod reduce;
pub mod step;
