//! Sums in a fixed order.

use crate::table::{Binding, Entry, Shader};

const BINDINGS: &[Binding] = &[Binding::PARAMS, Binding::read(1, "a"), Binding::write(2, "sums")];

/// `column_sum` and `column_sum_short`.
pub const SHADER: Shader = Shader {
    name: "reduce",
    source: compose!("reduce.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "column_sum", bindings: BINDINGS },
        Entry { name: "column_sum_short", bindings: BINDINGS },
    ],
    subgroups: false,
};

/// Workgroups of `column_sum` for a matrix of `rows` x `columns`, `chunk` rows to a sum.
pub const fn workgroups(rows: u32, columns: u32, chunk: u32) -> u32 {
    rows.div_ceil(chunk) * columns.div_ceil(32)
}

/// Workgroups of `column_sum_short` for the same.
pub const fn short_workgroups(rows: u32, columns: u32, chunk: u32) -> u32 {
    rows.div_ceil(chunk) * columns.div_ceil(64)
}
