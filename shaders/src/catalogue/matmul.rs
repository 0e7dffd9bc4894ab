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
            "ACCUMULATE_SUMS",
            "ACTIVATION",
            $($more),*
        ]
    };
}
pub(super) use overrides;

pub(super) const PRODUCT: Entry = Entry { name: "product", bindings: &[Binding::PARAMS, A, B, C] };
const DENSE: Entry = Entry { name: "dense", bindings: &[Binding::PARAMS, A, B, BIAS, C] };
const DENSE_KEEP: Entry =
    Entry { name: "dense_keep", bindings: &[Binding::PARAMS, A, B, BIAS, C, PREACTIVATION] };
const PRODUCT_SLOPE: Entry = Entry { name: "product_slope", bindings: &[Binding::PARAMS, A, B, KEPT, C] };
pub(super) const PRODUCT_SUMS: Entry =
    Entry { name: "product_sums", bindings: &[Binding::PARAMS, A, B, C, ROW_SUMS] };

const STATS: Binding = Binding::read(3, "stats");
const SPREAD: Binding = Binding::read(4, "spread");
const PRODUCT_SAMPLE: Entry =
    Entry { name: "product_sample", bindings: &[Binding::PARAMS, A, B, STATS, SPREAD, C] };

/// Those of every shader that makes a product.
pub(super) const ENTRIES: &[Entry] = &[PRODUCT, DENSE, DENSE_KEEP, PRODUCT_SLOPE];
/// Those of the matrix-product variants.
pub(super) const VARIANT_ENTRIES: &[Entry] =
    &[PRODUCT, DENSE, DENSE_KEEP, PRODUCT_SLOPE, PRODUCT_SUMS, PRODUCT_SAMPLE];

/// For CPU drivers with subgroups of exactly 8. A workgroup makes `32 HALVES` x 32.
pub const SHUFFLE: Shader = product!(
    "matmul_shuffle",
    "matmul_shuffle.wgsl",
    ["HALVES"],
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// For GPUs. A workgroup makes `TILE` x `TILE`, by default 64 x 64.
pub const TILE: Shader = product!(
    "matmul_tile",
    "matmul_tile.wgsl",
    ["TILE", "HALVES"],
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// For anything else. A workgroup makes 8 x 64.
pub const REGISTER: Shader = product!(
    "matmul_register",
    "matmul_register.wgsl",
    [],
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// Workgroups for a product of `rows` x `columns`, each of which makes such a tile.
pub const fn tiles(tile: [u32; 2], rows: u32, columns: u32) -> u32 {
    rows.div_ceil(tile[0]) * columns.div_ceil(tile[1])
}
