//! One step of gradient descent over a flat buffer.

use crate::table::{Binding, Entry, Shader};

const RATES: Binding = Binding::read(1, "rates");
const GRADIENTS: Binding = Binding::read(2, "gradients");
const PARAMETERS: Binding = Binding::write(3, "parameters");
const FIRST: Binding = Binding::write(4, "first_moment");
const SECOND: Binding = Binding::write(5, "second_moment");

/// `sgd` and `adam`.
pub const SHADER: Shader = Shader {
    name: "optimizer",
    source: compose!("optimizer.wgsl"),
    overrides: &["DECOUPLED"],
    entries: &[
        Entry { name: "sgd", bindings: &[Binding::PARAMS, RATES, GRADIENTS, PARAMETERS, FIRST] },
        Entry { name: "adam", bindings: &[Binding::PARAMS, RATES, GRADIENTS, PARAMETERS, FIRST, SECOND] },
    ],
    subgroups: false,
};

/// Workgroups for `count` parameters.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(256)
}
