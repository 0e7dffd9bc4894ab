//! The statistics of batch normalisation.

use crate::table::{Binding, Entry, Shader};

const MOMENTS: Binding = Binding::write(5, "moments");

/// `chunk_moments`, `merge` and `running`.
pub const SHADER: Shader = Shader {
    name: "moments",
    source: compose!("lib/strip.wgsl", "moments.wgsl"),
    overrides: &[],
    entries: &[
        Entry {
            name: "chunk_moments",
            bindings: &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(4, "parts")],
        },
        Entry {
            name: "merge",
            bindings: &[Binding::PARAMS, Binding::read(2, "chunks"), MOMENTS, Binding::write(6, "kept")],
        },
        Entry { name: "running", bindings: &[Binding::PARAMS, Binding::read(3, "statistics"), MOMENTS] },
    ],
    subgroups: false,
};

/// Columns that stand side by side in a workgroup of `lib/strip.wgsl`.
pub const fn strip_width(channels: u32) -> u32 {
    if channels < 32 { channels } else { 32 }
}

/// Lanes of a workgroup of `lib/strip.wgsl` that share a column.
pub const fn strip_lines(channels: u32) -> u32 {
    256 / strip_width(channels)
}

/// Workgroups of `chunk_moments` for `rows` x `channels`, `chunk` rows to a workgroup.
pub const fn workgroups(rows: u32, channels: u32, chunk: u32) -> u32 {
    rows.div_ceil(chunk) * channels.div_ceil(strip_width(channels))
}

/// Workgroups of `merge`.
pub const fn merge_workgroups(channels: u32) -> u32 {
    channels
}

/// Workgroups of `running`.
pub const fn running_workgroups(channels: u32) -> u32 {
    channels.div_ceil(64)
}
