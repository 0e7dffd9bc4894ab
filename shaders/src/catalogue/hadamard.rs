//! Elementwise products that repeat a row.

use crate::table::{Binding, Entry, Shader};

const P: Binding = Binding::read(1, "p");
const S: Binding = Binding::read(2, "s");

/// `multiply` and `gradient`.
pub const SHADER: Shader = Shader {
    name: "hadamard",
    source: compose!("hadamard.wgsl"),
    overrides: &["ACCUMULATE", "ACCUMULATE_S"],
    entries: &[
        Entry { name: "multiply", bindings: &[Binding::PARAMS, P, S, Binding::write(4, "y")] },
        Entry {
            name: "gradient",
            bindings: &[
                Binding::PARAMS,
                P,
                S,
                Binding::read(3, "dy"),
                Binding::write(5, "dp"),
                Binding::write(6, "ds"),
            ],
        },
    ],
    subgroups: false,
};

/// Workgroups of `multiply` for `count` numbers of the product, of `gradient` for `count` of s.
pub const fn workgroups(count: u32) -> u32 {
    count.div_ceil(64)
}
