//! Matrix products with fused epilogues: NN, NT and TN through `TRANSPOSE_A` and `TRANSPOSE_B`.

use crate::table::{Binding, Entry, Shader};

const A: Binding = Binding::read(1, "a");
const B: Binding = Binding::read(2, "b");
const BIAS: Binding = Binding::read(3, "bias");
const KEPT: Binding = Binding::read(4, "kept");
const C: Binding = Binding::write(5, "c");
const ROW_SUMS: Binding = Binding::write(7, "row_sums");
const PREACTIVATION: Binding = Binding::write(6, "preactivation");

macro_rules! overrides {
    ($($more:literal),* $(,)?) => {
        &[
            "TRANSPOSE_A",
            "TRANSPOSE_B",
            "ALIGNED_A",
            "ALIGNED_B",
            "ALIGNED_KEPT",
            "ACCUMULATE",
            "ACTIVATION",
            $($more),*
        ]
    };
}
pub(super) use overrides;

const PRODUCT: Entry = Entry { name: "product", bindings: &[Binding::PARAMS, A, B, C] };
const DENSE: Entry = Entry { name: "dense", bindings: &[Binding::PARAMS, A, B, BIAS, C] };
const DENSE_KEEP: Entry =
    Entry { name: "dense_keep", bindings: &[Binding::PARAMS, A, B, BIAS, C, PREACTIVATION] };
const PRODUCT_SLOPE: Entry = Entry { name: "product_slope", bindings: &[Binding::PARAMS, A, B, KEPT, C] };
const PRODUCT_SUMS: Entry = Entry { name: "product_sums", bindings: &[Binding::PARAMS, A, B, C, ROW_SUMS] };

const STATS: Binding = Binding::read(3, "stats");
const SPREAD: Binding = Binding::read(4, "spread");
const PRODUCT_SAMPLE: Entry =
    Entry { name: "product_sample", bindings: &[Binding::PARAMS, A, B, STATS, SPREAD, C] };

/// Those of a layer, forward and back.
pub(super) const OF_LAYERS: &[Entry] = &[PRODUCT, DENSE, DENSE_KEEP, PRODUCT_SLOPE];
/// Those of the gradient of a convolution's weight.
pub(super) const OF_WEIGHTS: &[Entry] = &[PRODUCT, PRODUCT_SUMS];
const ALL: &[Entry] = &[PRODUCT, DENSE, DENSE_KEEP, PRODUCT_SLOPE, PRODUCT_SUMS, PRODUCT_SAMPLE];

/// For CPU drivers with subgroups of exactly 8. A workgroup makes `32 HALVES` x 32.
pub const SHUFFLE: Shader = product!(
    "matmul_shuffle",
    ["matmul_shuffle.wgsl", "lib/shuffle_layer.wgsl", "lib/shuffle_sums.wgsl", "lib/shuffle_sample.wgsl"],
    ALL,
    ["ACCUMULATE_SUMS", "HALVES"],
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/sums_beside.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// For GPUs. A workgroup makes `TILE` x `TILE`, by default 64 x 64.
pub const TILE: Shader = product!(
    "matmul_tile",
    ["matmul_tile.wgsl", "lib/tile_layer.wgsl", "lib/tile_sums.wgsl", "lib/tile_sample.wgsl"],
    ALL,
    ["ACCUMULATE_SUMS", "TILE", "HALVES"],
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/sums_beside.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// For anything else. A workgroup makes 8 x 64.
pub const REGISTER: Shader = product!(
    "matmul_register",
    ["matmul_register.wgsl", "lib/register_layer.wgsl", "lib/register_sums.wgsl", "lib/register_sample.wgsl"],
    ALL,
    ["ACCUMULATE_SUMS"],
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/sums_beside.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

const PARTIAL: Binding = Binding::read(1, "partial");
const PARTIAL_SUMS: Binding = Binding::read(2, "partial_sums");

/// The sum of a product's parts, and what stands behind the product. For each entry of a variant it has one, whose bindings
/// are those of that entry with the parts in place of A and B.
pub const SUM: Shader = Shader {
    name: "matmul_sum",
    source: compose!(
        "lib/stable.wgsl",
        "lib/finite.wgsl",
        "lib/activation.wgsl",
        "lib/matmul_sum.wgsl",
        "lib/logvar.wgsl",
        "lib/epilogue.wgsl",
        "lib/sums_beside.wgsl",
        "lib/through_sample.wgsl",
        "matmul_sum.wgsl",
    ),
    overrides: &["ALIGNED_KEPT", "ACCUMULATE", "ACCUMULATE_SUMS", "ACTIVATION"],
    entries: &[
        Entry { name: "product", bindings: &[Binding::PARAMS, PARTIAL, C] },
        Entry { name: "dense", bindings: &[Binding::PARAMS, PARTIAL, BIAS, C] },
        Entry { name: "dense_keep", bindings: &[Binding::PARAMS, PARTIAL, BIAS, C, PREACTIVATION] },
        Entry { name: "product_slope", bindings: &[Binding::PARAMS, PARTIAL, KEPT, C] },
        Entry { name: "product_sums", bindings: &[Binding::PARAMS, PARTIAL, PARTIAL_SUMS, C, ROW_SUMS] },
        Entry { name: "product_sample", bindings: &[Binding::PARAMS, PARTIAL, STATS, SPREAD, C] },
    ],
    subgroups: false,
};

/// Workgroups for a product of `rows` x `columns`, each of which makes such a tile.
pub const fn tiles(tile: [u32; 2], rows: u32, columns: u32) -> u32 {
    rows.div_ceil(tile[0]) * columns.div_ceil(tile[1])
}

/// Workgroups of [`SUM`].
pub const fn sum_workgroups(rows: u32, columns: u32) -> u32 {
    (rows * columns.div_ceil(4)).div_ceil(64)
}
