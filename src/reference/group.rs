//! Groups of consecutive rows, each reduced to one row: the twin of `shaders/group.wgsl`.

/// A column of a group as `[top, rest]`, whose sum is `log Σ e^x`: its largest number, and `log Σ e^(x - top)`. NaN
/// if any number is NaN.
pub fn log_sum_exp(x: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    if x.clone().any(f64::is_nan) {
        return [f64::NAN, 0.0];
    }
    let top = x.clone().fold(f64::NEG_INFINITY, f64::max);
    [top, x.map(|x| difference(x, top).exp()).sum::<f64>().ln()]
}

/// The derivative of [`log_sum_exp`] by one of the numbers: its share of the sum of exponentials (softmax).
pub fn share(x: f64, [top, rest]: [f64; 2]) -> f64 {
    (difference(x, top) - rest).exp()
}

/// Column `column` of group `group` in `x` `[groups * size, columns]`.
pub fn column_of(
    x: &[f64],
    [size, columns]: [usize; 2],
    [group, column]: [usize; 2],
) -> impl Iterator<Item = f64> + Clone {
    x.iter().skip(group * size * columns + column).step_by(columns).take(size).copied()
}

// a - b, zero where they are the same infinity.
fn difference(a: f64, b: f64) -> f64 {
    if a == b { 0.0 } else { a - b }
}
