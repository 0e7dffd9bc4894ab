//! Which class each image of a step is of.

use crate::table::{Binding, Entry, Shader};

/// `one_hot`.
pub const SHADER: Shader = Shader {
    name: "one_hot",
    source: compose!("one_hot.wgsl"),
    overrides: &[],
    entries: &[Entry {
        name: "one_hot",
        bindings: &[
            Binding::PARAMS,
            Binding::read(1, "labels"),
            Binding::read(2, "chosen"),
            Binding::write(3, "y"),
        ],
    }],
    subgroups: false,
};

/// Workgroups for `numbers` of the result.
pub const fn workgroups(numbers: u32) -> u32 {
    numbers.div_ceil(64)
}
