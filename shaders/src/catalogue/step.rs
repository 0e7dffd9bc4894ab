//! The last kernel of a step.

use crate::table::{Binding, Entry, Shader};

/// `advance`: one workgroup.
pub const SHADER: Shader = Shader {
    name: "step",
    source: compose!("lib/state.wgsl", "step.wgsl"),
    overrides: &["SCHEDULE"],
    entries: &[Entry { name: "advance", bindings: &[Binding::PARAMS, Binding::write(1, "state")] }],
    subgroups: false,
};
