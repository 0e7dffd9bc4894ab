//! Functions of single numbers.

use crate::table::{Binding, Entry, Shader};

const X: Binding = Binding::read(1, "x");
const Y: Binding = Binding::write(4, "y");

/// `affine`, `weighted_sum`, `exponential`, `logarithm`, `logarithm_backward` and `continuous_mean`.
pub const SHADER: Shader = Shader {
    name: "elementwise",
    source: compose!(
        "lib/log.wgsl",
        "lib/finite.wgsl",
        "lib/continuous.wgsl",
        "lib/accumulate.wgsl",
        "elementwise.wgsl"
    ),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "affine", bindings: &[Binding::PARAMS, X, Y] },
        Entry { name: "weighted_sum", bindings: &[Binding::PARAMS, X, Binding::read(2, "x2"), Y] },
        Entry { name: "exponential", bindings: &[Binding::PARAMS, X, Y] },
        Entry { name: "logarithm", bindings: &[Binding::PARAMS, X, Y] },
        Entry { name: "logarithm_backward", bindings: &[Binding::PARAMS, X, Binding::read(3, "dy"), Y] },
        Entry { name: "continuous_mean", bindings: &[Binding::PARAMS, X, Y] },
    ],
    subgroups: false,
};

/// Workgroups for `count` numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
