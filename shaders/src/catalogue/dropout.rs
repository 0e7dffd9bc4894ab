//! Inverted dropout.

use crate::table::{Binding, Entry, Shader};

/// `dropout`, which is its own backward pass.
pub const SHADER: Shader = Shader {
    name: "dropout",
    source: compose!(
        "lib/log.wgsl",
        "lib/philox.wgsl",
        "lib/state.wgsl",
        "lib/accumulate.wgsl",
        "dropout.wgsl"
    ),
    overrides: &["ACCUMULATE"],
    entries: &[Entry {
        name: "dropout",
        bindings: &[
            Binding::PARAMS,
            Binding::read(1, "state"),
            Binding::read(2, "x"),
            Binding::write(3, "y"),
        ],
    }],
    subgroups: false,
};

/// Workgroups for `count` numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(256)
}
