//! Sums in a fixed order.

use crate::table::{Binding, Entry, Shader};

/// `column_sum`.
pub const SHADER: Shader = Shader {
    name: "reduce",
    source: compose!("reduce.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[Entry {
        name: "column_sum",
        bindings: &[Binding::PARAMS, Binding::read(1, "a"), Binding::write(2, "sums")],
    }],
    subgroups: false,
};

/// Workgroups for a matrix of `rows` x `columns`, `chunk` rows to a sum.
pub const fn workgroups(rows: u32, columns: u32, chunk: u32) -> u32 {
    rows.div_ceil(chunk) * columns.div_ceil(32)
}
