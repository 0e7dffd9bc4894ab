//! The squared Frobenius norm of an encoder's Jacobian.

use crate::table::{Binding, Entry, Shader};

const W: Binding = Binding::read(1, "w");
const S: Binding = Binding::read(2, "s");
const NORMS: Binding = Binding::read(4, "norms");
const A: Binding = Binding::read(5, "a");
const G: Binding = Binding::read(6, "g");
const VALUE: Binding = Binding::write(8, "value");

/// `unit_slopes`, `unit_weights`, `quadratic` and `gram_gradient`; the first and third also with `_value` behind their
/// names, without gradient.
pub const SHADER: Shader = Shader {
    name: "contraction",
    source: compose!("lib/row_sum.wgsl", "contraction.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "unit_slopes", bindings: &[Binding::PARAMS, S, NORMS, VALUE, Binding::write(9, "ds")] },
        Entry { name: "unit_slopes_value", bindings: &[Binding::PARAMS, S, NORMS, VALUE] },
        Entry {
            name: "unit_weights",
            bindings: &[Binding::PARAMS, W, S, Binding::read(3, "t"), Binding::write(10, "dw")],
        },
        Entry { name: "quadratic", bindings: &[Binding::PARAMS, A, G, VALUE, Binding::write(11, "da")] },
        Entry { name: "quadratic_value", bindings: &[Binding::PARAMS, A, G, VALUE] },
        Entry {
            name: "gram_gradient",
            bindings: &[Binding::PARAMS, Binding::read(7, "gram"), Binding::write(12, "dgram")],
        },
    ],
    subgroups: false,
};

/// Workgroups for sums over `rows` rows: of `unit_weights` the units, of `unit_slopes` and `quadratic` the images.
pub const fn row_workgroups(rows: u32) -> u32 {
    rows
}

/// Workgroups of `gram_gradient` for `count` numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
