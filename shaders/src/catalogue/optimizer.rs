//! One step of gradient descent over a flat buffer.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
const GRADIENTS: Binding = Binding::read(2, "gradients");
const PARAMETERS: Binding = Binding::write(3, "parameters");
const FIRST: Binding = Binding::write(4, "first_moment");
const SECOND: Binding = Binding::write(5, "second_moment");

/// `sgd` and `adam`.
pub const SHADER: Shader = Shader {
    name: "optimizer",
    source: compose!("lib/state.wgsl", "optimizer.wgsl"),
    overrides: &["DECOUPLED"],
    entries: &[
        Entry { name: "sgd", bindings: &[Binding::PARAMS, STATE, GRADIENTS, PARAMETERS, FIRST] },
        Entry { name: "adam", bindings: &[Binding::PARAMS, STATE, GRADIENTS, PARAMETERS, FIRST, SECOND] },
    ],
    subgroups: false,
};

/// Workgroups for `count` parameters.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(256)
}
