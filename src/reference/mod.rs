//! The CPU twin of every kernel: plain loops that accumulate in f64, one stem per shader.
//!
//! Slow and obvious on purpose: the shaders are tested against it.

pub mod activation;
pub mod augmentation;
pub mod batch;
pub mod ceiling;
pub mod clip;
pub mod columns;
pub mod compare;
pub mod contraction;
pub mod conv;
pub mod corruption;
pub mod crop_or_pad;
pub mod divergence;
pub mod dropout;
pub mod elementwise;
pub mod group;
pub mod hadamard;
pub mod latent;
pub mod loss;
pub mod matmul;
pub mod moments;
pub mod norm;
pub mod one_hot;
pub mod optimizer;
pub mod pool;
pub mod random;
pub mod record;
pub mod reduce;
pub mod rows;
pub mod sample;
pub mod sparsity;
pub mod spread;
pub mod step;
pub mod sums;
pub mod upsample;
pub mod words;
