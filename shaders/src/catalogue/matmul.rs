//! Matrix products with fused epilogues: NN, NT and TN through `TRANSPOSE_A` and `TRANSPOSE_B`.

use crate::table::{Binding, Entry, Shader};

const A: Binding = Binding::read(1, "a");
const B: Binding = Binding::read(2, "b");
const BIAS: Binding = Binding::read(3, "bias");
const KEPT: Binding = Binding::read(4, "kept");
const C: Binding = Binding::write(5, "c");
const ROW_SUMS: Binding = Binding::write(7, "row_sums");
const PREACTIVATION: Binding = Binding::write(6, "preactivation");

pub(super) const OVERRIDES: &[&str] = &[
    "TRANSPOSE_A",
    "TRANSPOSE_B",
    "ALIGNED_A",
    "ALIGNED_B",
    "ALIGNED_KEPT",
    "ACCUMULATE",
    "ACCUMULATE_SUMS",
    "ACTIVATION",
];
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

/// For CPU drivers with subgroups of exactly 8.
pub const SHUFFLE: Shader = product!(
    "matmul_shuffle",
    "matmul_shuffle.wgsl",
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// For GPUs.
pub const TILE: Shader = product!(
    "matmul_tile",
    "matmul_tile.wgsl",
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// For anything else.
pub const REGISTER: Shader = product!(
    "matmul_register",
    "matmul_register.wgsl",
    "lib/dense.wgsl",
    "lib/row_sums.wgsl",
    "lib/logvar.wgsl",
    "lib/through_sample.wgsl"
);

/// Workgroups of [`TILE`] for a product of `rows` x `columns`.
pub const fn tile_workgroups(rows: u32, columns: u32) -> u32 {
    rows.div_ceil(64) * columns.div_ceil(64)
}

/// Workgroups of [`REGISTER`] for a product of `rows` x `columns`.
pub const fn register_workgroups(rows: u32, columns: u32) -> u32 {
    rows.div_ceil(8) * columns.div_ceil(64)
}

/// Workgroups of [`SHUFFLE`] for a product of `rows` x `columns`.
pub const fn shuffle_workgroups(rows: u32, columns: u32) -> u32 {
    rows.div_ceil(32) * columns.div_ceil(32)
}
