//! What keeps a code sparse.

use crate::table::{Binding, Entry, Shader};

const Z: Binding = Binding::read(1, "z");
const SUMS: Binding = Binding::read(2, "sums");
const VALUE: Binding = Binding::write(3, "value");
const DZ: Binding = Binding::write(4, "dz");

/// `l1` and `kl`, and each with `_value` behind its name, without gradient.
pub const SHADER: Shader = Shader {
    name: "sparsity",
    source: compose!(
        "lib/log.wgsl",
        "lib/finite.wgsl",
        "lib/row_sum.wgsl",
        "lib/row_value.wgsl",
        "lib/accumulate.wgsl",
        "sparsity.wgsl"
    ),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "l1", bindings: &[Binding::PARAMS, Z, VALUE, DZ] },
        Entry { name: "l1_value", bindings: &[Binding::PARAMS, Z, VALUE] },
        Entry { name: "kl", bindings: &[Binding::PARAMS, SUMS, VALUE, DZ] },
        Entry { name: "kl_value", bindings: &[Binding::PARAMS, SUMS, VALUE] },
    ],
    subgroups: false,
};

/// Workgroups for `rows` codes.
pub const fn workgroups(rows: u32) -> u32 {
    rows
}
