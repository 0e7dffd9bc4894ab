//! How far a Gaussian code is from its prior.

use crate::table::{Binding, Entry, Shader};

const STATS: Binding = Binding::read(1, "stats");
const SUMS: Binding = Binding::read(2, "sums");
const VALUE: Binding = Binding::write(3, "value");
const DSTATS: Binding = Binding::write(4, "dstats");
const EACH: Binding = Binding::write(5, "each");

/// `gaussian_kl`, `gaussian_kl_free`, `gaussian_kl_value` and `kl_by_dimension`.
pub const SHADER: Shader = Shader {
    name: "divergence",
    source: compose!(
        "lib/finite.wgsl",
        "lib/logvar.wgsl",
        "lib/stable.wgsl",
        "lib/kl.wgsl",
        "lib/row_sum.wgsl",
        "lib/row_value.wgsl",
        "lib/accumulate.wgsl",
        "divergence.wgsl"
    ),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry { name: "gaussian_kl", bindings: &[Binding::PARAMS, STATS, VALUE, DSTATS] },
        Entry { name: "gaussian_kl_free", bindings: &[Binding::PARAMS, STATS, SUMS, VALUE, DSTATS] },
        Entry { name: "gaussian_kl_value", bindings: &[Binding::PARAMS, STATS, VALUE] },
        Entry { name: "kl_by_dimension", bindings: &[Binding::PARAMS, STATS, EACH] },
    ],
    subgroups: false,
};

/// Workgroups of every entry but `kl_by_dimension`.
pub const fn row_workgroups(rows: u32) -> u32 {
    rows
}

/// Workgroups of `kl_by_dimension`, for `count` = rows x latent numbers.
pub const fn dimension_workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
