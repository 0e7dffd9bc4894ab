//! The pictures of a training step, mirrored, shifted and cropped at random.

use crate::table::{Binding, Entry, Shader};

/// `augment`.
pub const SHADER: Shader = Shader {
    name: "augmentation",
    source: compose!(
        "lib/log.wgsl",
        "lib/philox.wgsl",
        "lib/state.wgsl",
        "lib/pixels.wgsl",
        "augmentation.wgsl"
    ),
    overrides: &["CROP", "FLIP", "ROWS"],
    entries: &[Entry {
        name: "augment",
        bindings: &[
            Binding::PARAMS,
            Binding::read(1, "state"),
            Binding::read(2, "images"),
            Binding::read(3, "chosen"),
            Binding::write(5, "x"),
            Binding::write(6, "places"),
        ],
    }],
    subgroups: false,
};

/// Workgroups for `batch` pictures of `pixels` numbers.
pub const fn workgroups(batch: u32, pixels: u32) -> u32 {
    batch * pixels.div_ceil(1024)
}
