//! Every shader there is, by stem.

use crate::table::Shader;

macro_rules! compose {
    ($($file:literal),+ $(,)?) => {
        concat!($(include_str!(concat!("../../", $file))),+)
    };
}

// A matrix-product variant, with overrides of its own, on the operands of some fragments.
macro_rules! product {
    ($name:literal, $variant:literal, [$($override:literal),*], $($operands:literal),+) => {
        Shader {
            name: $name,
            source: compose!(
                "lib/stable.wgsl",
                "lib/finite.wgsl",
"lib/activation.wgsl",
                "lib/matmul.wgsl",
                $($operands,)+
                "lib/epilogue.wgsl",
                "lib/sums_beside.wgsl",
                $variant,
            ),
            overrides: crate::catalogue::matmul::overrides!($($override),*),
            entries: crate::catalogue::matmul::VARIANT_ENTRIES,
            subgroups: matches!($variant.as_bytes(), b"matmul_shuffle.wgsl"),
        }
    };
}

pub mod activation;
pub mod augmentation;
pub mod batch;
pub mod ceiling;
pub mod clip;
pub mod columns;
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

/// Every shader, for tests and tools that walk them all.
pub const ALL: &[&Shader] = &[
    &activation::SHADER,
    &augmentation::SHADER,
    &batch::SHADER,
    &ceiling::SHADER,
    &clip::SHADER,
    &columns::SHADER,
    &contraction::SHADER,
    &divergence::SHADER,
    &conv::DOWN_SHUFFLE,
    &conv::DOWN_TILE,
    &conv::DOWN_REGISTER,
    &conv::DOWN_SHALLOW,
    &conv::DOWN_NARROW,
    &conv::UP_SHUFFLE,
    &conv::UP_TILE,
    &conv::UP_REGISTER,
    &conv::UP_NARROW,
    &conv::UP_LINE,
    &conv::WEIGHT_SHUFFLE,
    &conv::WEIGHT_TILE,
    &conv::WEIGHT_REGISTER,
    &conv::WEIGHT_DIRECT,
    &conv::WEIGHT_LINE,
    &corruption::SHADER,
    &crop_or_pad::SHADER,
    &dropout::SHADER,
    &elementwise::SHADER,
    &group::SHADER,
    &hadamard::SHADER,
    &latent::SHADER,
    &loss::SHADER,
    &matmul::SHUFFLE,
    &matmul::TILE,
    &matmul::REGISTER,
    &matmul::SUM,
    &moments::SHADER,
    &norm::SHADER,
    &one_hot::SHADER,
    &optimizer::SHADER,
    &pool::SHADER,
    &pool::BACKWARD,
    &random::SHADER,
    &record::SHADER,
    &reduce::SHADER,
    &rows::SHADER,
    &sample::SHADER,
    &spread::SHADER,
    &sparsity::SHADER,
    &step::SHADER,
    &sums::SHADER,
    &upsample::SHADER,
];
