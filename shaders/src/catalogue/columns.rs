//! Blocks of columns, copied between arrays of different widths.

use crate::table::{Binding, Entry, Shader};

/// `copy`.
pub const SHADER: Shader = Shader {
    name: "columns",
    source: compose!("lib/accumulate.wgsl", "columns.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[Entry {
        name: "copy",
        bindings: &[Binding::PARAMS, Binding::read(1, "source"), Binding::write(2, "destination")],
    }],
    subgroups: false,
};

/// Workgroups for a block of `count` = rows x columns numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
