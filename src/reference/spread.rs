//! Weights, scaled row by row for each image: the twin of `shaders/spread.wgsl`.

/// `y[b, j, k] = c[b, j] w[j, k]` of `c` `[rows, units]` and `w` `[units, columns]`.
pub fn spread(c: &[f64], w: &[f64], columns: usize) -> Vec<f64> {
    let units = w.len() / columns;
    let row = |(at, c): (usize, &f64)| {
        let unit = at % units;
        w[unit * columns..(unit + 1) * columns].iter().map(|w| c * w).collect::<Vec<f64>>()
    };
    c.iter().enumerate().flat_map(row).collect()
}

/// The gradient of [`spread`] by `c`, given `dy`, that of its result.
pub fn scales_gradient(w: &[f64], dy: &[f64], columns: usize) -> Vec<f64> {
    let rows = dy.chunks(columns).zip(w.chunks(columns).cycle());
    rows.map(|(dy, w)| dy.iter().zip(w).map(|(dy, w)| dy * w).sum()).collect()
}

/// The gradient of [`spread`] by `w` `[units, columns]`, given `dy`, that of its result.
pub fn weight_gradient(c: &[f64], dy: &[f64], units: usize, columns: usize) -> Vec<f64> {
    let mut dw = vec![0.0; units * columns];
    for (i, dy) in dy.iter().enumerate() {
        dw[i % (units * columns)] += c[i / columns] * dy;
    }
    dw
}
