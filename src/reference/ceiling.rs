//! The ceilings' arithmetic in f64: the twin of `shaders/ceiling.wgsl`.

/// The sum of invocation `i`'s 32 chains after `rounds` rounds of `x = factor x + addend`.
pub fn multiply_add(i: u32, rounds: u32, factor: f64, addend: f64) -> f64 {
    let chain = |number: u32| (0..rounds).fold(f64::from(i % 64 + number), |x, _| factor * x + addend);
    (0..32).map(chain).sum()
}
