//! The last kernel of a step.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::write(1, "state");
const RATES: Binding = Binding::write(2, "rates");

/// What one dispatch of `advance` can describe.
pub const MOST_SCHEDULED: usize = 7;

/// `advance`, and `count` where nothing follows the number of the step: one workgroup.
pub const SHADER: Shader = Shader {
    name: "step",
    source: compose!("lib/state.wgsl", "step.wgsl"),
    overrides: &["COUNTS"],
    entries: &[
        Entry { name: "advance", bindings: &[Binding::PARAMS, STATE, RATES] },
        Entry { name: "count", bindings: &[Binding::PARAMS, STATE] },
    ],
    subgroups: false,
};
