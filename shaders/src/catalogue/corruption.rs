//! The images of a step, clean and corrupted.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
const IMAGES: Binding = Binding::read(2, "images");
const CHOSEN: Binding = Binding::read(3, "chosen");
const CENTER: Binding = Binding::read(4, "center");
const X: Binding = Binding::write(5, "x");
const SEEN: Binding = Binding::write(6, "seen");

/// `corrupt` and `corrupt_centered`, which take as many workgroups as [`gather`](super::batch::gather_workgroups).
pub const SHADER: Shader = Shader {
    name: "corruption",
    source: compose!(
        "lib/log.wgsl",
        "lib/philox.wgsl",
        "lib/state.wgsl",
        "lib/pixels.wgsl",
        "corruption.wgsl"
    ),
    overrides: &["CORRUPTION", "ROWS"],
    entries: &[
        Entry { name: "corrupt", bindings: &[Binding::PARAMS, STATE, IMAGES, CHOSEN, X, SEEN] },
        Entry {
            name: "corrupt_centered",
            bindings: &[Binding::PARAMS, STATE, IMAGES, CHOSEN, CENTER, X, SEEN],
        },
    ],
    subgroups: false,
};
