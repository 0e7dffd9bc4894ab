//! Activations and their slopes on their own.

use crate::table::{Binding, Entry, Shader};

const KEPT: Binding = Binding::read(3, "kept");
const Y: Binding = Binding::write(5, "y");

/// `forward`, `backward`, `slope` and `slope_backward`.
pub const SHADER: Shader = Shader {
    name: "activation",
    source: compose!(
        "lib/stable.wgsl",
        "lib/finite.wgsl",
        "lib/activation.wgsl",
        "lib/accumulate.wgsl",
        "activation.wgsl"
    ),
    overrides: &["ACTIVATION", "ACCUMULATE"],
    entries: &[
        Entry { name: "forward", bindings: &[Binding::PARAMS, Binding::read(1, "x"), Y] },
        Entry { name: "backward", bindings: &[Binding::PARAMS, Binding::read(2, "dy"), KEPT, Y] },
        Entry { name: "slope", bindings: &[Binding::PARAMS, KEPT, Y] },
        Entry { name: "slope_backward", bindings: &[Binding::PARAMS, KEPT, Binding::read(4, "ds"), Y] },
    ],
    subgroups: false,
};

/// Workgroups for `count` numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
