//! Losses, kept on the device.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
pub(super) const VALUES: Binding = Binding::read(2, "values");
pub(super) const MORE_VALUES: [Binding; 4] = [
    Binding::read(3, "values1"),
    Binding::read(4, "values2"),
    Binding::read(5, "values3"),
    Binding::read(6, "values4"),
];
pub(super) const RING: Binding = Binding::write(7, "ring");

/// The terms of one dispatch of `means_to_ring`.
pub const MOST_MEANS: usize = 5;

/// `means_to_ring` and `collect`.
pub const SHADER: Shader = Shader {
    name: "record",
    source: compose!("lib/state.wgsl", "lib/means.wgsl", "record.wgsl"),
    overrides: &[],
    entries: &[
        Entry {
            name: "means_to_ring",
            bindings: &[
                Binding::PARAMS,
                STATE,
                VALUES,
                MORE_VALUES[0],
                MORE_VALUES[1],
                MORE_VALUES[2],
                MORE_VALUES[3],
                RING,
            ],
        },
        Entry {
            name: "collect",
            bindings: &[Binding::PARAMS, STATE, VALUES, Binding::write(8, "per_image")],
        },
    ],
    subgroups: false,
};

/// Workgroups of `collect` for `count` values; `means_to_ring` takes one for each term.
pub const fn collect_workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
