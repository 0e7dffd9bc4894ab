//! Groups of consecutive rows, each made one row.

use crate::table::{Binding, Entry, Shader};

const X: Binding = Binding::read(1, "x");

/// `log_sum_exp` and `log_sum_exp_backward`.
pub const SHADER: Shader = Shader {
    name: "group",
    source: compose!("lib/log.wgsl", "lib/finite.wgsl", "lib/accumulate.wgsl", "group.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[
        Entry {
            name: "log_sum_exp",
            bindings: &[Binding::PARAMS, X, Binding::write(4, "y"), Binding::write(5, "parts")],
        },
        Entry {
            name: "log_sum_exp_backward",
            bindings: &[
                Binding::PARAMS,
                X,
                Binding::read(2, "kept"),
                Binding::read(3, "dy"),
                Binding::write(6, "dx"),
            ],
        },
    ],
    subgroups: false,
};

/// Workgroups of `log_sum_exp`, for `count` = groups x columns numbers, of `log_sum_exp_backward` for `count` = groups x
/// size x columns.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
