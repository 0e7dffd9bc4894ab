//! Sums in f64: the twin of `shaders/reduce.wgsl`.

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
    for row in a.chunks_exact(columns) {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    sums
}
