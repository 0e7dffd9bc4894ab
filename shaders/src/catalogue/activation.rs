//! Activations on their own.

use crate::table::{Binding, Entry, Shader};

/// `forward` and `backward`.
pub const SHADER: Shader = Shader {
    name: "activation",
    source: compose!("lib/stable.wgsl", "lib/activation.wgsl", "activation.wgsl"),
    overrides: &["ACTIVATION", "ACCUMULATE"],
    entries: &[
        Entry {
            name: "forward",
            bindings: &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(4, "y")],
        },
        Entry {
            name: "backward",
            bindings: &[
                Binding::PARAMS,
                Binding::read(2, "dy"),
                Binding::read(3, "kept"),
                Binding::write(5, "dx"),
            ],
        },
    ],
    subgroups: false,
};

/// Workgroups for `count` numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
