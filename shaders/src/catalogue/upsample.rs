//! Nearest-neighbour upsampling in two dimensions.

use crate::table::{Binding, Entry, Shader};

/// `forward` and `backward`.
pub const SHADER: Shader = Shader {
    name: "upsample",
    source: compose!("lib/line.wgsl", "lib/accumulate.wgsl", "upsample.wgsl"),
    overrides: &["FACTOR_HEIGHT", "FACTOR_WIDTH", "ACCUMULATE"],
    entries: &[
        Entry {
            name: "forward",
            bindings: &[Binding::PARAMS, Binding::read(1, "x"), Binding::write(3, "y")],
        },
        Entry {
            name: "backward",
            bindings: &[Binding::PARAMS, Binding::read(2, "dy"), Binding::write(4, "dx")],
        },
    ],
    subgroups: false,
};

/// Workgroups for `batch` images of `height` lines of what is written: the output, or the gradient of the input.
pub const fn workgroups(batch: u32, height: u32) -> u32 {
    batch * height
}
