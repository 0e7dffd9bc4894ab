//! Numbers of the CPU reference, compared with numbers found in another way.

use std::fmt::Display;

/// Fails where `got` is further than `within` from `expected`.
#[track_caller]
pub fn close(what: impl Display, got: f64, expected: f64, within: f64) {
    assert!((got - expected).abs() <= within, "{what}: {got}, expected {expected}");
}

/// Fails where an element of `gradient` is not the central difference of `f` at `x`: further from it than
/// `within (1 + |slope|)`.
#[track_caller]
pub fn central_difference<X>(what: impl Display, within: f64, x: &X, gradient: &X, f: impl Fn(X) -> f64)
where
    X: Clone + AsRef<[f64]> + AsMut<[f64]>,
{
    const H: f64 = 1e-5;
    assert_eq!(x.as_ref().len(), gradient.as_ref().len(), "{what}");
    for (at, (slope, point)) in gradient.as_ref().iter().zip(x.as_ref()).enumerate() {
        let moved = |by: f64| {
            let mut x = x.clone();
            x.as_mut()[at] += by;
            f(x)
        };
        let numeric = (moved(H) - moved(-H)) / (2.0 * H);
        close(format!("{what}, slope {at} at {point}"), *slope, numeric, within * (1.0 + slope.abs()));
    }
}

/// The integral of `f` by Simpson's rule.
pub fn integral(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    let n = 20_000;
    let step = (to - from) / f64::from(n);
    let weight = |i: i32| if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
    (0..=n).map(|i| weight(i) * f(from + f64::from(i) * step)).sum::<f64>() * step / 3.0
}

/// Numbers in [-1, 1] that f32 holds exactly.
pub fn wave(count: usize, shift: f64) -> Vec<f64> {
    (0..count).map(|i| f64::from((shift + 1.7 * i as f64).sin() as f32)).collect()
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The squared norm of a Jacobian by its definition: of layers from the input on, each with its slopes `[units]` and
/// its weights `[units, inputs]`, multiplied out.
pub fn squared_frobenius(layers: &[(&[f64], &[f64])]) -> f64 {
    let inputs = layers[0].1.len() / layers[0].0.len();
    let identity: Vec<Vec<f64>> =
        (0..inputs).map(|i| (0..inputs).map(|k| f64::from(u8::from(i == k))).collect()).collect();
    // The derivatives by each input.
    let columns = layers.iter().fold(identity, |columns, (slopes, weights)| {
        let through = |x: Vec<f64>| -> Vec<f64> {
            slopes.iter().zip(weights.chunks(x.len())).map(|(slope, w)| slope * dot(w, &x)).collect()
        };
        columns.into_iter().map(through).collect()
    });
    columns.iter().map(|column| dot(column, column)).sum()
}
