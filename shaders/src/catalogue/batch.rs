//! Which images a step sees, and their pixels.

use crate::table::{Binding, Entry, Shader};

/// `permute`, `place`, `gather` and `gather_centered`.
pub const SHADER: Shader = Shader {
    name: "batch",
    source: compose!("lib/log.wgsl", "lib/philox.wgsl", "lib/state.wgsl", "lib/pixels.wgsl", "batch.wgsl"),
    overrides: &["ROWS", "SHUFFLE"],
    entries: &[
        Entry {
            name: "permute",
            bindings: &[Binding::PARAMS, Binding::read(1, "state"), Binding::write(5, "indices")],
        },
        Entry {
            name: "place",
            bindings: &[Binding::PARAMS, Binding::read(1, "state"), Binding::write(5, "indices")],
        },
        Entry {
            name: "gather",
            bindings: &[
                Binding::PARAMS,
                Binding::read(2, "images"),
                Binding::read(3, "chosen"),
                Binding::write(6, "x"),
            ],
        },
        Entry {
            name: "gather_centered",
            bindings: &[
                Binding::PARAMS,
                Binding::read(2, "images"),
                Binding::read(3, "chosen"),
                Binding::read(4, "center"),
                Binding::write(6, "x"),
            ],
        },
    ],
    subgroups: false,
};

/// Workgroups of `permute`, or of `place`, for `batch` images.
pub const fn permute_workgroups(batch: u32) -> u32 {
    batch.div_ceil(64)
}

/// Workgroups of `gather`, or of `corrupt`, for `batch` images of `pixels` numbers.
pub const fn gather_workgroups(batch: u32, pixels: u32) -> u32 {
    (batch * pixels.div_ceil(4)).div_ceil(64)
}
