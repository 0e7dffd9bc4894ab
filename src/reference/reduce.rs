//! Sums in f64: the twin of `shaders/reduce.wgsl`.

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
