//! Max pooling in two dimensions.

use crate::table::{Binding, Entry, Shader};

/// `forward` and `tangent`.
pub const SHADER: Shader = Shader {
    name: "pool",
    source: compose!("lib/finite.wgsl", "lib/windows.wgsl", "lib/line.wgsl", "pool.wgsl"),
    overrides: &["WINDOW_HEIGHT", "WINDOW_WIDTH", "STRIDE_HEIGHT", "STRIDE_WIDTH"],
    entries: &[
        Entry {
            name: "forward",
            bindings: &[
                Binding::PARAMS,
                Binding::read(1, "x"),
                Binding::write(3, "y"),
                Binding::write(4, "argmax"),
            ],
        },
        Entry {
            name: "tangent",
            bindings: &[
                Binding::PARAMS,
                Binding::read(1, "x"),
                Binding::read(2, "largest"),
                Binding::write(3, "y"),
            ],
        },
    ],
    subgroups: false,
};

/// `backward` and `backward_slope`.
pub const BACKWARD: Shader = Shader {
    name: "pool_backward",
    source: compose!(
        "lib/stable.wgsl",
        "lib/finite.wgsl",
        "lib/activation.wgsl",
        "lib/windows.wgsl",
        "lib/line.wgsl",
        "lib/accumulate.wgsl",
        "pool_backward.wgsl"
    ),
    overrides: &[
        "WINDOW_HEIGHT",
        "WINDOW_WIDTH",
        "STRIDE_HEIGHT",
        "STRIDE_WIDTH",
        "ACCUMULATE",
        "ACTIVATION",
    ],
    entries: &[
        Entry {
            name: "backward",
            bindings: &[
                Binding::PARAMS,
                Binding::read(1, "dy"),
                Binding::read(2, "largest"),
                Binding::write(4, "dx"),
            ],
        },
        Entry {
            name: "backward_slope",
            bindings: &[
                Binding::PARAMS,
                Binding::read(1, "dy"),
                Binding::read(2, "largest"),
                Binding::read(3, "kept"),
                Binding::write(4, "dx"),
            ],
        },
    ],
    subgroups: false,
};

/// Workgroups for `batch` images of `height` lines of pixels: of the output, or of the gradient of the input; of windows,
/// with what is left over, for `backward_slope`.
pub const fn workgroups(batch: u32, height: u32) -> u32 {
    batch * height
}
