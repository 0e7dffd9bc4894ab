//! Rows that repeat, and sums along rows.

use crate::table::{Binding, Entry, Shader};

const BINDINGS: &[Binding] = &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(2, "y")];

/// `repeat` and `sum`.
pub const SHADER: Shader = Shader {
    name: "rows",
    source: compose!("lib/row_sum.wgsl", "lib/accumulate.wgsl", "rows.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[Entry { name: "repeat", bindings: BINDINGS }, Entry { name: "sum", bindings: BINDINGS }],
    subgroups: false,
};

/// Workgroups of `repeat`, for `count` numbers of its result.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}

/// Workgroups of `sum`.
pub const fn row_workgroups(rows: u32) -> u32 {
    rows
}
