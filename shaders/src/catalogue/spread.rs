//! Weights, scaled row by row for each image.

use crate::table::{Binding, Entry, Shader};

const C: Binding = Binding::read(1, "c");
const W: Binding = Binding::read(2, "w");
const DY: Binding = Binding::read(3, "dy");

/// `spread`, `spread_scales` and `spread_weight`.
pub const SHADER: Shader = Shader {
    name: "spread",
    source: compose!("lib/row_sum.wgsl", "lib/accumulate.wgsl", "spread.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "spread", bindings: &[Binding::PARAMS, C, W, Binding::write(4, "y")] },
        Entry { name: "spread_scales", bindings: &[Binding::PARAMS, W, DY, Binding::write(5, "dc")] },
        Entry { name: "spread_weight", bindings: &[Binding::PARAMS, C, DY, Binding::write(6, "dw")] },
    ],
    subgroups: false,
};

/// Workgroups of `spread` for `count` = rows x units x columns numbers, of `spread_weight` for `count` =
/// units x columns.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}

/// Workgroups of `spread_scales` for `rows` x units rows.
pub const fn row_workgroups(rows: u32) -> u32 {
    rows
}
