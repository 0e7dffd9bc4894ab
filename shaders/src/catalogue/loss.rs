//! Likelihoods, with their gradients.

use crate::table::{Binding, Entry, Shader};

const Y: Binding = Binding::read(1, "y");
const X: Binding = Binding::read(2, "x");
const LOG_VARIANCE: Binding = Binding::read(3, "log_variance");
const VALUE: Binding = Binding::write(4, "value");
const DY: Binding = Binding::write(5, "dy");
const LOG_VARIANCE_GRADIENT: Binding = Binding::write(6, "log_variance_gradient");

/// `squared_error`, `gaussian`, `gaussian_learned` and `bernoulli`.
pub const SHADER: Shader = Shader {
    name: "loss",
    source: compose!("lib/stable.wgsl", "lib/row_sum.wgsl", "loss.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "squared_error", bindings: &[Binding::PARAMS, Y, X, VALUE, DY] },
        Entry { name: "gaussian", bindings: &[Binding::PARAMS, Y, X, VALUE, DY] },
        Entry {
            name: "gaussian_learned",
            bindings: &[Binding::PARAMS, Y, X, LOG_VARIANCE, VALUE, DY, LOG_VARIANCE_GRADIENT],
        },
        Entry { name: "bernoulli", bindings: &[Binding::PARAMS, Y, X, VALUE, DY] },
    ],
    subgroups: false,
};

/// Workgroups for `rows` images.
pub const fn workgroups(rows: u32) -> u32 {
    rows
}
