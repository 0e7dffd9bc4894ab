//! Sums in f64: the twin of `shaders/reduce.wgsl`.

/// Adds `scale` times each of `values` to its sum.
#[inline]
pub fn add_scaled(sums: &mut [f64], scale: f64, values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += scale * f64::from(*value);
    }
}

/// `count` sums: each of the values whose place is its number.
pub fn sums_by_place(
    values: impl IntoIterator<Item = f64>,
    places: impl IntoIterator<Item = usize>,
    count: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0; count];
    values.into_iter().zip(places).for_each(|(value, place)| sums[place] += value);
    sums
}

/// The sum of each of `columns` columns of `a`, `[rows, columns]`.
pub fn column_sums(a: &[f32], columns: usize) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    a.chunks_exact(columns).for_each(|row| add_scaled(&mut sums, 1.0, row));
    sums
}
