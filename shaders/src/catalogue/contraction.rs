//! The squared Frobenius norm of an encoder's Jacobian.

use crate::table::{Binding, Entry, Shader};

const W: Binding = Binding::read(1, "w");
const S: Binding = Binding::read(2, "s");
const NORMS: Binding = Binding::read(4, "norms");
const A: Binding = Binding::read(5, "a");
const G: Binding = Binding::read(6, "g");
const VALUE: Binding = Binding::write(7, "value");

/// `unit_slopes`, `unit_weights` and `quadratic`; the first and last also with `_value` behind their names, without
/// gradient.
pub const SHADER: Shader = Shader {
    name: "contraction",
    source: compose!("lib/row_sum.wgsl", "lib/row_value.wgsl", "lib/accumulate.wgsl", "contraction.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "unit_slopes", bindings: &[Binding::PARAMS, S, NORMS, VALUE, Binding::write(8, "ds")] },
        Entry { name: "unit_slopes_value", bindings: &[Binding::PARAMS, S, NORMS, VALUE] },
        Entry {
            name: "unit_weights",
            bindings: &[Binding::PARAMS, W, S, Binding::read(3, "t"), Binding::write(9, "dw")],
        },
        Entry { name: "quadratic", bindings: &[Binding::PARAMS, A, G, VALUE, Binding::write(10, "da")] },
        Entry { name: "quadratic_value", bindings: &[Binding::PARAMS, A, G, VALUE] },
    ],
    subgroups: false,
};

/// Workgroups for sums over `rows` rows: of `unit_weights` the units, of `unit_slopes` and `quadratic` the images.
pub const fn workgroups(rows: u32) -> u32 {
    rows
}
