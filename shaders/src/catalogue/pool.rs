//! Max pooling in two dimensions.

use crate::table::{Binding, Entry, Shader};

/// `forward`, `tangent` and `backward`.
pub const SHADER: Shader = Shader {
    name: "pool",
    source: compose!("lib/line.wgsl", "pool.wgsl"),
    overrides: &["WINDOW_HEIGHT", "WINDOW_WIDTH", "STRIDE_HEIGHT", "STRIDE_WIDTH", "ACCUMULATE"],
    entries: &[
        Entry {
            name: "forward",
            bindings: &[
                Binding::PARAMS,
                Binding::read(1, "x"),
                Binding::write(4, "y"),
                Binding::write(5, "argmax"),
            ],
        },
        Entry {
            name: "tangent",
            bindings: &[
                Binding::PARAMS,
                Binding::read(1, "x"),
                Binding::read(3, "largest"),
                Binding::write(4, "y"),
            ],
        },
        Entry {
            name: "backward",
            bindings: &[
                Binding::PARAMS,
                Binding::read(2, "dy"),
                Binding::read(3, "largest"),
                Binding::write(6, "dx"),
            ],
        },
    ],
    subgroups: false,
};

/// Workgroups for `batch` images of `height` lines of what is written: the output, or the gradient of the input.
pub const fn workgroups(batch: u32, height: u32) -> u32 {
    batch * height
}
