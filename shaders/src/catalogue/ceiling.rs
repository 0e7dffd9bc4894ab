//! What a device's arithmetic and memory can do at most.

use crate::table::{Binding, Entry, Shader};

/// `multiply_add` and `copy`.
pub const SHADER: Shader = Shader {
    name: "ceiling",
    source: compose!("ceiling.wgsl"),
    overrides: &[],
    entries: &[
        Entry { name: "multiply_add", bindings: &[Binding::PARAMS, Binding::write(2, "results")] },
        Entry {
            name: "copy",
            bindings: &[Binding::PARAMS, Binding::read(1, "original"), Binding::write(3, "duplicate")],
        },
    ],
    subgroups: false,
};

/// Workgroups of `multiply_add` for `invocations`.
pub const fn multiply_add_workgroups(invocations: u32) -> u32 {
    invocations.div_ceil(64)
}

/// Workgroups of `copy` for `count` numbers.
pub const fn copy_workgroups(count: u32) -> u32 {
    count.div_ceil(256)
}
