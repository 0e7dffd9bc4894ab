//! Convolutions: the matrix-product variants on operands that are seen in images, whose workgroups are those of
//! the product, times its parts; and kernels of their own for few channels.

use super::matmul::{OF_LAYERS, OF_WEIGHTS};
use crate::table::Shader;

// The columns, where they are few, are an override of all.
macro_rules! joined {
    ($name:literal, [$($file:literal),+], $entries:expr, [$($operands:literal),+] $(, $more:literal)*) => {
        product!($name, [$($file),+], $entries, ["COLUMNS" $(, $more)*], "lib/conv.wgsl", $($operands),+)
    };
}

// The weight's gradient may sum either side's channels.
macro_rules! weight {
    ($name:literal, [$($file:literal),+] $(, $more:literal)*) => {
        joined!(
            $name,
            [$($file),+],
            OF_WEIGHTS,
            ["lib/conv_weight.wgsl", "lib/channel_sums.wgsl", "lib/sums_beside.wgsl"],
            "ACCUMULATE_SUMS",
            "SUMS_OF_IMAGE"
            $(, $more)*
        )
    };
}

/// Features of an image, for CPU drivers with subgroups of exactly 8.
pub const DOWN_SHUFFLE: Shader = joined!(
    "conv_down_shuffle",
    ["matmul_shuffle.wgsl", "lib/shuffle_layer.wgsl"],
    OF_LAYERS,
    ["lib/conv_down.wgsl"],
    "HALVES"
);

/// Features of an image, for GPUs.
pub const DOWN_TILE: Shader = joined!(
    "conv_down_tile",
    ["matmul_tile.wgsl", "lib/tile_layer.wgsl"],
    OF_LAYERS,
    ["lib/conv_down.wgsl"],
    "TILE",
    "HALVES"
);

/// Features of an image, for anything else.
pub const DOWN_REGISTER: Shader = joined!(
    "conv_down_register",
    ["matmul_register.wgsl", "lib/register_layer.wgsl"],
    OF_LAYERS,
    ["lib/conv_down.wgsl"]
);

/// An image of features, for CPU drivers with subgroups of exactly 8.
pub const UP_SHUFFLE: Shader = joined!(
    "conv_up_shuffle",
    ["matmul_shuffle.wgsl", "lib/shuffle_layer.wgsl"],
    OF_LAYERS,
    ["lib/conv_up.wgsl"],
    "HALVES"
);

/// An image of features, for GPUs.
pub const UP_TILE: Shader = joined!(
    "conv_up_tile",
    ["matmul_tile.wgsl", "lib/tile_layer.wgsl"],
    OF_LAYERS,
    ["lib/conv_up.wgsl"],
    "TILE",
    "HALVES"
);

/// An image of features, for anything else.
pub const UP_REGISTER: Shader = joined!(
    "conv_up_register",
    ["matmul_register.wgsl", "lib/register_layer.wgsl"],
    OF_LAYERS,
    ["lib/conv_up.wgsl"]
);

/// The weight's gradient, for CPU drivers with subgroups of exactly 8.
pub const WEIGHT_SHUFFLE: Shader =
    weight!("conv_weight_shuffle", ["matmul_shuffle.wgsl", "lib/shuffle_sums.wgsl"], "HALVES");

/// The weight's gradient, for GPUs.
pub const WEIGHT_TILE: Shader =
    weight!("conv_weight_tile", ["matmul_tile.wgsl", "lib/tile_sums.wgsl"], "TILE", "HALVES");

/// The weight's gradient, for anything else.
pub const WEIGHT_REGISTER: Shader =
    weight!("conv_weight_register", ["matmul_register.wgsl", "lib/register_sums.wgsl"]);

/// Features, whole vec4s of them, of an image of at most four channels.
pub const DOWN_SHALLOW: Shader = Shader {
    name: "conv_shallow",
    source: compose!(
        "lib/stable.wgsl",
        "lib/finite.wgsl",
        "lib/activation.wgsl",
        "lib/matmul.wgsl",
        "lib/conv.wgsl",
        "lib/conv_down.wgsl",
        "lib/conv_sides.wgsl",
        "lib/conv_line.wgsl",
        "lib/epilogue_four.wgsl",
        "lib/conv_sixteen.wgsl",
        "conv_shallow.wgsl",
    ),
    overrides: &[
        "TRANSPOSE_A",
        "TRANSPOSE_B",
        "ALIGNED_A",
        "ALIGNED_B",
        "ACCUMULATE",
        "ACTIVATION",
        "COLUMNS",
        "MIRRORED",
        "KERNEL_HEIGHT",
        "KERNEL_WIDTH",
        "CHANNELS",
        "STRIDE",
        "PIXELS",
        "OUT_CHANNELS",
        "SIXTEENS",
        "SHIFT",
    ],
    entries: OF_LAYERS,
    subgroups: false,
};

/// Features of an image, of at most four channels.
pub const DOWN_NARROW: Shader =
    joined!("conv_down_narrow", ["conv_narrow.wgsl"], OF_LAYERS, ["lib/conv_down.wgsl"]);

/// An image of features, of at most four channels.
pub const UP_NARROW: Shader =
    joined!("conv_up_narrow", ["conv_narrow.wgsl"], OF_LAYERS, ["lib/conv_up.wgsl"]);

/// An image, of at most four channels, of features, whole vec4s of them, for CPU drivers with subgroups of exactly 8.
pub const UP_LINE: Shader = joined!(
    "conv_up_line",
    ["conv_up_line.wgsl"],
    OF_LAYERS,
    ["lib/conv_up.wgsl", "lib/conv_sides.wgsl", "lib/conv_cells.wgsl", "lib/conv_cell_sums.wgsl"],
    "MIRRORED",
    "KERNEL_HEIGHT",
    "KERNEL_WIDTH",
    "CHANNELS",
    "STRIDE",
    "LEFT",
    "SLOTS",
    "FOURS_HELD"
);

/// The weight's gradient, where image or features have at most four channels.
pub const WEIGHT_DIRECT: Shader =
    weight!("conv_weight_direct", ["conv_weight_direct.wgsl"], "ROWS", "FILTER");

/// The weight's gradient, where the image has at most four channels and the features whole vec4s, for CPU drivers.
pub const WEIGHT_LINE: Shader = Shader {
    name: "conv_weight_line",
    source: compose!(
        "lib/stable.wgsl",
        "lib/finite.wgsl",
        "lib/activation.wgsl",
        "lib/matmul.wgsl",
        "lib/conv.wgsl",
        "lib/conv_weight.wgsl",
        "lib/channel_sums.wgsl",
        "lib/conv_sides.wgsl",
        "lib/conv_line.wgsl",
        "lib/conv_tap_sums.wgsl",
        "lib/epilogue_four.wgsl",
        "lib/sums_beside.wgsl",
        "conv_weight_line.wgsl",
    ),
    overrides: &[
        "TRANSPOSE_A",
        "TRANSPOSE_B",
        "ALIGNED_A",
        "ALIGNED_B",
        "ACCUMULATE",
        "ACCUMULATE_SUMS",
        "ACTIVATION",
        "COLUMNS",
        "SUMS_OF_IMAGE",
        "MIRRORED",
        "KERNEL_HEIGHT",
        "KERNEL_WIDTH",
        "CHANNELS",
        "STRIDE",
        "PIXELS",
        "SHIFT",
        "ROWS",
        "TAPS_DOWN",
        "EVEN",
    ],
    entries: OF_WEIGHTS,
    subgroups: false,
};

/// Workgroups of [`DOWN_SHALLOW`] for `lines` of `width` pixels of features, `sixteens` its `SIXTEENS`.
pub const fn shallow_workgroups(lines: u32, width: u32, out_channels: u32, sixteens: u32) -> u32 {
    lines.saturating_mul(width.div_ceil(4)).div_ceil(64).saturating_mul(out_channels.div_ceil(16 * sixteens))
}

/// Rows and columns that a workgroup of [`DOWN_NARROW`] makes, or of [`UP_NARROW`] in a part.
pub const NARROW_TILE: [u32; 2] = [256, 4];

/// Workgroups of [`WEIGHT_DIRECT`] for `parts` of `rows` x `columns`, `rows_to_a_lane` its `ROWS`.
pub const fn weight_direct_workgroups(rows: u32, columns: u32, parts: u32, rows_to_a_lane: u32) -> u32 {
    (rows.div_ceil(rows_to_a_lane) * columns.div_ceil(12) * parts).div_ceil(64)
}

/// Workgroups of [`WEIGHT_LINE`] for `parts` of `rows`, `rows_to_a_lane` its `ROWS`, in so many pieces down the kernel.
pub const fn weight_line_workgroups(rows: u32, parts: u32, rows_to_a_lane: u32, pieces: u32) -> u32 {
    rows.div_ceil(rows_to_a_lane).saturating_mul(parts).saturating_mul(pieces).div_ceil(8)
}
