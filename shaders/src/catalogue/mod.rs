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
pub mod corruption;
pub mod latent;
pub mod loss;
pub mod matmul;
pub mod optimizer;
pub mod random;
pub mod record;
pub mod reduce;
pub mod step;

/// Every shader, for tests and tools that walk them all.
pub const ALL: &[&Shader] = &[
    &activation::SHADER,
    &batch::SHADER,
    &ceiling::SHADER,
    &corruption::SHADER,
    &latent::SHADER,
    &loss::SHADER,
    &matmul::SHUFFLE,
    &matmul::TILE,
    &matmul::REGISTER,
    &optimizer::SHADER,
    &random::SHADER,
    &record::SHADER,
    &reduce::SHADER,
    &step::SHADER,
];
