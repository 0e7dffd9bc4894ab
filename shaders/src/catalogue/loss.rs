//! Likelihoods, with their gradients or without.

use crate::table::{Binding, Entry, Shader};

const Y: Binding = Binding::read(1, "y");
const X: Binding = Binding::read(2, "x");
const LOG_VARIANCE: Binding = Binding::read(3, "log_variance");
const VALUE: Binding = Binding::write(4, "value");
const DY: Binding = Binding::write(5, "dy");
const LOG_VARIANCE_GRADIENT: Binding = Binding::write(6, "log_variance_gradient");

/// `values_and_gradient` and `values` of the likelihood that `LIKELIHOOD` names, and the same with a `learned_` variance.
pub const SHADER: Shader = Shader {
    name: "loss",
    source: compose!(
        "lib/stable.wgsl",
        "lib/finite.wgsl",
        "lib/row_sum.wgsl",
        "lib/log.wgsl",
        "lib/continuous.wgsl",
        "lib/accumulate.wgsl",
        "loss.wgsl"
    ),
    overrides: &["ACCUMULATE", "LIKELIHOOD"],
    entries: &[
        Entry { name: "values_and_gradient", bindings: &[Binding::PARAMS, Y, X, VALUE, DY] },
        Entry { name: "values", bindings: &[Binding::PARAMS, Y, X, VALUE] },
        Entry {
            name: "learned_values_and_gradient",
            bindings: &[Binding::PARAMS, Y, X, LOG_VARIANCE, VALUE, DY, LOG_VARIANCE_GRADIENT],
        },
        Entry { name: "learned_values", bindings: &[Binding::PARAMS, Y, X, LOG_VARIANCE, VALUE] },
    ],
    subgroups: false,
};

/// Workgroups for `rows` images.
pub const fn workgroups(rows: u32) -> u32 {
    rows
}
