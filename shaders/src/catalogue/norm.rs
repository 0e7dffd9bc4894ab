//! Batch normalisation.

use crate::table::{Binding, Entry, Shader};

const X: Binding = Binding::read(1, "x");
const DZ: Binding = Binding::read(2, "dz");
const MOMENTS: Binding = Binding::read(3, "moments");
const SCALE: Binding = Binding::read(4, "scale");
const SHIFT: Binding = Binding::read(5, "shift");
const Y: Binding = Binding::write(8, "y");

/// `normalize`, `normalize_keep`, `chunk_sums`, `merge` and `backward`.
pub const SHADER: Shader = Shader {
    name: "norm",
    source: compose!(
        "lib/stable.wgsl",
        "lib/finite.wgsl",
        "lib/activation.wgsl",
        "lib/strip.wgsl",
        "lib/accumulate.wgsl",
        "norm.wgsl"
    ),
    overrides: &["ACTIVATION", "ACCUMULATE", "ACCUMULATE_SCALE", "ACCUMULATE_SHIFT"],
    entries: &[
        Entry { name: "normalize", bindings: &[Binding::PARAMS, X, MOMENTS, SCALE, SHIFT, Y] },
        Entry {
            name: "normalize_keep",
            bindings: &[Binding::PARAMS, X, MOMENTS, SCALE, SHIFT, Y, Binding::write(9, "preactivation")],
        },
        Entry {
            name: "chunk_sums",
            bindings: &[Binding::PARAMS, X, DZ, MOMENTS, Binding::write(10, "parts")],
        },
        Entry {
            name: "merge",
            bindings: &[
                Binding::PARAMS,
                Binding::read(6, "chunks"),
                Binding::write(11, "sums"),
                Binding::write(12, "gradients"),
            ],
        },
        Entry {
            name: "backward",
            bindings: &[
                Binding::PARAMS,
                X,
                DZ,
                MOMENTS,
                SCALE,
                Binding::read(7, "totals"),
                Binding::write(13, "dx"),
            ],
        },
    ],
    subgroups: false,
};

/// Workgroups of every entry but `merge` for `rows` x `channels`, `chunk` rows to a workgroup.
pub const fn workgroups(rows: u32, channels: u32, chunk: u32) -> u32 {
    super::moments::workgroups(rows, channels, chunk)
}

/// Workgroups of `merge`.
pub const fn merge_workgroups(channels: u32) -> u32 {
    channels
}
