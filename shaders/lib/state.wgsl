// What changes from step to step. It lives on the device and the step's last kernel advances it, so that a
// step uploads nothing and many steps fit one submit.
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
    learning_rate: f32,
    /// Adam's 1 - beta1^t and 1 - beta2^t for the step under way (t = step + 1).
    correction1: f32,
    correction2: f32,
    /// The share of the KL's weight that counts at this step, which its warm-up raises to 1.
    kl_share: f32,
}
