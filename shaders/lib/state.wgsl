// Where a run stands. It lives on the device and the step's last kernel advances it, so that a step uploads nothing and
// many steps fit one submit.
struct State {
    /// The run's seed, low and high word: the key of every random number.
    seed_low: u32,
    seed_high: u32,
    /// Steps completed.
    step: u32,
    /// Passes over the data completed.
    epoch: u32,
    /// Where in this pass the next batch begins.
    cursor: u32,
}
