//! Elementwise products that repeat a row, or multiply rows by a column.

use crate::table::{Binding, Entry, Shader};

const P: Binding = Binding::read(1, "p");
const S: Binding = Binding::read(2, "s");
const DY: Binding = Binding::read(3, "dy");
const DS: Binding = Binding::write(6, "ds");

/// `multiply`, `gradient` and `row_products`.
pub const SHADER: Shader = Shader {
    name: "hadamard",
    source: compose!("lib/row_sum.wgsl", "lib/accumulate.wgsl", "hadamard.wgsl"),
    overrides: &["ACCUMULATE", "ACCUMULATE_S"],
    entries: &[
        Entry { name: "multiply", bindings: &[Binding::PARAMS, P, S, Binding::write(4, "y")] },
        Entry { name: "gradient", bindings: &[Binding::PARAMS, P, S, DY, Binding::write(5, "dp"), DS] },
        Entry { name: "row_products", bindings: &[Binding::PARAMS, P, DY, DS] },
    ],
    subgroups: false,
};

/// Workgroups of `multiply` for `count` numbers of the product, of `gradient` for `count` of s.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}

/// Workgroups of `row_products`.
pub const fn row_workgroups(rows: u32) -> u32 {
    rows
}
