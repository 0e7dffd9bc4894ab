//! Sums in a fixed order.

use crate::table::{Binding, Entry, Shader};

const BINDINGS: &[Binding] = &[Binding::PARAMS, Binding::read(1, "a"), Binding::write(3, "sums")];
const FOURS: &[Binding] = &[Binding::PARAMS, Binding::read(2, "fours"), Binding::write(4, "sums_of_fours")];

/// `column_sum` and `column_sum_short`; and each with `_four` behind its name, for columns that are a multiple of four.
pub const SHADER: Shader = Shader {
    name: "reduce",
    source: compose!("reduce.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "column_sum", bindings: BINDINGS },
        Entry { name: "column_sum_short", bindings: BINDINGS },
        Entry { name: "column_sum_four", bindings: FOURS },
        Entry { name: "column_sum_short_four", bindings: FOURS },
    ],
    subgroups: false,
};

/// Workgroups of `column_sum` and of `column_sum_four` for a matrix of `rows` x `columns`, `chunk` rows to a sum.
pub const fn workgroups(rows: u32, columns: u32, chunk: u32) -> u32 {
    rows.div_ceil(chunk) * columns.div_ceil(32)
}

/// Workgroups of `column_sum_short` for the same.
pub const fn short_workgroups(rows: u32, columns: u32, chunk: u32) -> u32 {
    rows.div_ceil(chunk) * columns.div_ceil(64)
}

/// Workgroups of `column_sum_short_four` for the same.
pub const fn short_four_workgroups(rows: u32, columns: u32, chunk: u32) -> u32 {
    rows.div_ceil(chunk) * columns.div_ceil(128)
}
