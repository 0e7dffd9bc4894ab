//! The last kernel of a step.

use super::record::{MORE_VALUES, RING, VALUES};
use crate::table::{Binding, Entry, Shader};

const STATE: Binding = Binding::write(8, "state");
const RATES: Binding = Binding::write(9, "rates");
const KEEP: [Binding; 9] = [
    Binding::PARAMS,
    VALUES,
    MORE_VALUES[0],
    MORE_VALUES[1],
    MORE_VALUES[2],
    MORE_VALUES[3],
    RING,
    STATE,
    RATES,
];

/// What one dispatch of `advance` can describe.
pub const MOST_SCHEDULED: usize = 7;

/// `advance`, and `count` where nothing follows the number of the step; and each behind the means of at most
/// [`MOST_MEANS`](super::record::MOST_MEANS) terms, as `keep_and_advance` and `keep_and_count`: one workgroup.
pub const SHADER: Shader = Shader {
    name: "step",
    source: compose!("lib/state.wgsl", "lib/means.wgsl", "step.wgsl"),
    overrides: &["COUNTS"],
    entries: &[
        Entry { name: "advance", bindings: &[Binding::PARAMS, STATE, RATES] },
        Entry { name: "count", bindings: &[Binding::PARAMS, STATE] },
        Entry { name: "keep_and_advance", bindings: &KEEP },
        Entry { name: "keep_and_count", bindings: KEEP.split_at(8).0 },
    ],
    subgroups: false,
};
