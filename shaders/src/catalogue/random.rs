//! Random numbers on their own.

use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::read(1, "state");
const VALUES: Binding = Binding::write(3, "values");

/// `draw_bits`, `draw_uniform`, `draw_normal` and `draw_signs`.
pub const SHADER: Shader = Shader {
    name: "random",
    source: compose!("lib/log.wgsl", "lib/philox.wgsl", "lib/state.wgsl", "random.wgsl"),
    overrides: &[],
    entries: &[
        Entry { name: "draw_bits", bindings: &[Binding::PARAMS, STATE, Binding::write(2, "words")] },
        Entry { name: "draw_uniform", bindings: &[Binding::PARAMS, STATE, VALUES] },
        Entry { name: "draw_normal", bindings: &[Binding::PARAMS, STATE, VALUES] },
        Entry { name: "draw_signs", bindings: &[Binding::PARAMS, STATE, VALUES] },
    ],
    subgroups: false,
};

/// Workgroups for `count` numbers.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(256)
}
