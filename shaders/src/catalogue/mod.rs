//! Every shader there is, by stem.

use crate::table::Shader;

macro_rules! compose {
    ($($file:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../", $file))),+)
    };
}

pub mod activation;
pub mod batch;
pub mod ceiling;
pub mod dropout;
pub mod latent;
pub mod loss;
pub mod matmul;
pub mod moments;
pub mod norm;
pub mod optimizer;
pub mod pool;
pub mod random;
pub mod record;
pub mod reduce;
pub mod step;
pub mod upsample;

/// Every shader, for tests and tools that walk them all.
pub const ALL: &[&Shader] = &[
    &activation::SHADER,
    &batch::SHADER,
    &ceiling::SHADER,
    &dropout::SHADER,
    &latent::SHADER,
    &loss::SHADER,
    &matmul::SHUFFLE,
    &matmul::TILE,
    &matmul::REGISTER,
    &moments::SHADER,
    &norm::SHADER,
    &optimizer::SHADER,
    &pool::SHADER,
    &random::SHADER,
    &record::SHADER,
    &reduce::SHADER,
    &step::SHADER,
    &upsample::SHADER,
];
