//! The Gaussian code: its sample, and how likely that is.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
const STATS: Binding = Binding::read(2, "stats");
const DZ: Binding = Binding::read(3, "dz");
const Z: Binding = Binding::write(4, "z");
const VALUE: Binding = Binding::write(5, "value");
const DSTATS: Binding = Binding::write(6, "dstats");

/// `reparameterize`, `reparameterize_backward`, `log_ratio` and `log_ratio_gradient`.
pub const SHADER: Shader = Shader {
    name: "latent",
    source: compose!(
        "lib/finite.wgsl",
        "lib/logvar.wgsl",
        "lib/row_sum.wgsl",
        "lib/row_value.wgsl",
        "lib/log.wgsl",
        "lib/philox.wgsl",
        "lib/state.wgsl",
        "lib/noise.wgsl",
        "lib/accumulate.wgsl",
        "latent.wgsl"
    ),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "reparameterize", bindings: &[Binding::PARAMS, STATE, STATS, Z] },
        Entry { name: "reparameterize_backward", bindings: &[Binding::PARAMS, STATE, STATS, DZ, DSTATS] },
        Entry { name: "log_ratio", bindings: &[Binding::PARAMS, STATE, STATS, VALUE] },
        Entry { name: "log_ratio_gradient", bindings: &[Binding::PARAMS, STATE, STATS, VALUE, DSTATS] },
    ],
    subgroups: false,
};

/// Workgroups of every entry but the ratios, for a code of `count` = rows x latent numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(256)
}

/// Workgroups of the ratios.
pub const fn ratio_workgroups(rows: u32) -> u32 {
    rows
}
