//! Convolutions: the matrix-product variants on operands that are seen in images. Workgroups are those of
//! the product, times its parts.

use crate::table::Shader;

/// Features of an image, for CPU drivers with subgroups of exactly 8.
pub const DOWN_SHUFFLE: Shader =
    product!("conv_down_shuffle", "matmul_shuffle.wgsl", "lib/conv.wgsl", "lib/conv_down.wgsl");

/// Features of an image, for GPUs.
pub const DOWN_TILE: Shader =
    product!("conv_down_tile", "matmul_tile.wgsl", "lib/conv.wgsl", "lib/conv_down.wgsl");

/// Features of an image, for anything else.
pub const DOWN_REGISTER: Shader =
    product!("conv_down_register", "matmul_register.wgsl", "lib/conv.wgsl", "lib/conv_down.wgsl");

/// An image of features, for CPU drivers with subgroups of exactly 8.
pub const UP_SHUFFLE: Shader =
    product!("conv_up_shuffle", "matmul_shuffle.wgsl", "lib/conv.wgsl", "lib/conv_up.wgsl");

/// An image of features, for GPUs.
pub const UP_TILE: Shader = product!("conv_up_tile", "matmul_tile.wgsl", "lib/conv.wgsl", "lib/conv_up.wgsl");

/// An image of features, for anything else.
pub const UP_REGISTER: Shader =
    product!("conv_up_register", "matmul_register.wgsl", "lib/conv.wgsl", "lib/conv_up.wgsl");

/// The weight's gradient, for CPU drivers with subgroups of exactly 8.
pub const WEIGHT_SHUFFLE: Shader =
    product!("conv_weight_shuffle", "matmul_shuffle.wgsl", "lib/conv.wgsl", "lib/conv_weight.wgsl");

/// The weight's gradient, for GPUs.
pub const WEIGHT_TILE: Shader =
    product!("conv_weight_tile", "matmul_tile.wgsl", "lib/conv.wgsl", "lib/conv_weight.wgsl");

/// The weight's gradient, for anything else.
pub const WEIGHT_REGISTER: Shader =
    product!("conv_weight_register", "matmul_register.wgsl", "lib/conv.wgsl", "lib/conv_weight.wgsl");
