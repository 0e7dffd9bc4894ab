//! What keeps gradients from growing too large.

use crate::table::{Binding, Entry, Shader};

const GRADIENT: Binding = Binding::write(6, "gradient");

/// `squares`, `factor`, `scale` and `clamp_each`.
pub const SHADER: Shader = Shader {
    name: "clip",
    source: compose!("lib/row_sum.wgsl", "lib/finite.wgsl", "clip.wgsl"),
    overrides: &[],
    entries: &[
        Entry {
            name: "squares",
            bindings: &[Binding::PARAMS, Binding::read(1, "values"), Binding::write(4, "sums")],
        },
        Entry {
            name: "factor",
            bindings: &[Binding::PARAMS, Binding::read(2, "all_sums"), Binding::write(5, "scaling")],
        },
        Entry { name: "scale", bindings: &[Binding::PARAMS, Binding::read(3, "by"), GRADIENT] },
        Entry { name: "clamp_each", bindings: &[Binding::PARAMS, GRADIENT] },
    ],
    subgroups: false,
};

/// Workgroups of `scale` and `clamp_each` for `count` gradients.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}

/// Workgroups of `squares`, and how many sums it leaves, `chunk` gradients to each. `factor` takes one.
pub const fn chunks(count: u32, chunk: u32) -> u32 {
    count.div_ceil(chunk)
}
