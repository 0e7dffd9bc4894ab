//! Weights scaled row by row for each image: the twin of `shaders/spread.wgsl`.

use super::reduce::sums_by_place;

/// `y[b, j, k] = c[b, j] w[j, k]` of `c` `[rows, units]` and `w` `[units, columns]`.
pub fn spread(c: &[f64], w: &[f64], columns: usize) -> Vec<f64> {
    let rows = c.iter().zip(w.chunks(columns).cycle());
    rows.flat_map(|(c, w)| w.iter().map(move |w| c * w)).collect()
}

/// The gradient of [`spread`] by `c`, given `dy`, that of its result.
pub fn scales_gradient(w: &[f64], dy: &[f64], columns: usize) -> Vec<f64> {
    let rows = dy.chunks(columns).zip(w.chunks(columns).cycle());
    rows.map(|(dy, w)| dy.iter().zip(w).map(|(dy, w)| dy * w).sum()).collect()
}

/// The gradient of [`spread`] by `w` `[units, columns]`, given `dy`, that of its result.
pub fn weight_gradient(c: &[f64], dy: &[f64], units: usize, columns: usize) -> Vec<f64> {
    let products = dy.iter().enumerate().map(|(i, dy)| c[i / columns] * dy);
    sums_by_place(products, (0..units * columns).cycle(), units * columns)
}
