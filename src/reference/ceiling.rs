//! The ceilings' arithmetic in f64: the twin of `shaders/ceiling.wgsl`.

/// The sum of invocation `i`'s 12 chains after `rounds` rounds of eight times `x = factor x + addend`.
pub fn multiply_add(i: u32, rounds: u32, factor: f64, addend: f64) -> f64 {
    let chain = |number: u32| (0..8 * rounds).fold(f64::from(i % 64 + number), |x, _| factor * x + addend);
    (0..12).map(chain).sum()
}
