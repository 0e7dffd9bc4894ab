//! Losses, kept on the device.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
const VALUES: Binding = Binding::read(2, "values");

/// `mean_to_ring` and `collect`.
pub const SHADER: Shader = Shader {
    name: "record",
    source: compose!("lib/state.wgsl", "record.wgsl"),
    overrides: &[],
    entries: &[
        Entry {
            name: "mean_to_ring",
            bindings: &[Binding::PARAMS, STATE, VALUES, Binding::write(3, "ring")],
        },
        Entry {
            name: "collect",
            bindings: &[Binding::PARAMS, STATE, VALUES, Binding::write(4, "per_image")],
        },
    ],
    subgroups: false,
};

/// Workgroups of `collect` for `count` values; `mean_to_ring` takes one.
pub const fn collect_workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
