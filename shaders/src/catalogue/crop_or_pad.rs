//! Images brought to another height and width about their middle.

use crate::table::{Binding, Entry, Shader};

/// `crop_or_pad`, which is its own backward pass.
pub const SHADER: Shader = Shader {
    name: "crop_or_pad",
    source: compose!("lib/accumulate.wgsl", "crop_or_pad.wgsl"),
    overrides: &["ACCUMULATE"],
    entries: &[Entry {
        name: "crop_or_pad",
        bindings: &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(2, "y")],
    }],
    subgroups: false,
};

/// Workgroups for `batch` images of `height` lines of what is written.
pub const fn workgroups(batch: u32, height: u32) -> u32 {
    batch * height
}
