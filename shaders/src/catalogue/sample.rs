//! The sample of a Gaussian code, with what else a training step makes of the code at once.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
const STATS: Binding = Binding::read(2, "stats");
const Z: Binding = Binding::write(3, "z");
const SPREAD: Binding = Binding::write(4, "spread");
const VALUE: Binding = Binding::write(5, "value");
const DSTATS: Binding = Binding::write(6, "dstats");

/// `sample` and `sample_and_kl`.
pub const SHADER: Shader = Shader {
    name: "sample",
    source: compose!(
        "lib/finite.wgsl",
        "lib/logvar.wgsl",
        "lib/stable.wgsl",
        "lib/kl.wgsl",
        "lib/row_sum.wgsl",
        "lib/row_value.wgsl",
        "lib/log.wgsl",
        "lib/philox.wgsl",
        "lib/state.wgsl",
        "lib/noise.wgsl",
        "sample.wgsl"
    ),
    overrides: &[],
    entries: &[
        Entry { name: "sample", bindings: &[Binding::PARAMS, STATE, STATS, Z, SPREAD] },
        Entry { name: "sample_and_kl", bindings: &[Binding::PARAMS, STATE, STATS, Z, SPREAD, VALUE, DSTATS] },
    ],
    subgroups: false,
};

/// Workgroups of both entries.
pub const fn workgroups(rows: u32) -> u32 {
    rows
}
