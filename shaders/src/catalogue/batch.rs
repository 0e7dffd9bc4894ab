//! Which images a step sees, and their pixels.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
const IMAGES: Binding = Binding::read(2, "images");
const CHOSEN: Binding = Binding::read(3, "chosen");
const CENTER: Binding = Binding::read(4, "center");
const INDICES: Binding = Binding::write(5, "indices");
const X: Binding = Binding::write(6, "x");

/// `permute`, `place`, `gather` and `gather_centered`, and the first and one of the last in one.
pub const SHADER: Shader = Shader {
    name: "batch",
    source: compose!(
        "lib/log.wgsl",
        "lib/philox.wgsl",
        "lib/state.wgsl",
        "lib/pixels.wgsl",
        "lib/permutation.wgsl",
        "batch.wgsl",
    ),
    overrides: &["ROWS", "SHUFFLE"],
    entries: &[
        Entry { name: "permute", bindings: &[Binding::PARAMS, STATE, INDICES] },
        Entry { name: "place", bindings: &[Binding::PARAMS, STATE, INDICES] },
        Entry { name: "gather", bindings: &[Binding::PARAMS, IMAGES, CHOSEN, X] },
        Entry { name: "gather_centered", bindings: &[Binding::PARAMS, IMAGES, CHOSEN, CENTER, X] },
        Entry { name: "next_batch", bindings: &[Binding::PARAMS, STATE, IMAGES, INDICES, X] },
        Entry {
            name: "next_batch_centered",
            bindings: &[Binding::PARAMS, STATE, IMAGES, CENTER, INDICES, X],
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

/// Workgroups of `next_batch` for `batch` images of `pixels` numbers.
pub const fn next_batch_workgroups(batch: u32, pixels: u32) -> u32 {
    (batch * pixels.div_ceil(4)).div_ceil(256)
}
