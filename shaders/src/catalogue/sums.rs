//! Sums of several matrices at once, in a fixed order.

use crate::table::{Binding, Entry, Shader};

/// The matrices of one dispatch.
pub const MOST_MATRICES: usize = 16;

/// `column_sums`.
pub const SHADER: Shader = Shader {
    name: "sums",
    source: compose!("sums.wgsl"),
    overrides: &[],
    entries: &[Entry {
        name: "column_sums",
        bindings: &[Binding::PARAMS, Binding::read(1, "parts"), Binding::write(2, "sums")],
    }],
    subgroups: false,
};

/// Workgroups for a matrix of so many columns, `lanes` of which share the rows of a column.
pub const fn workgroups(columns: u32, lanes: u32) -> u32 {
    columns.div_ceil(256 / lanes)
}
