//! Rows that repeat, and sums along rows: the twin of `shaders/rows.wgsl`.

/// Each row of `x` `[rows, columns]`, `times` times in a row: `[rows * times, columns]`.
pub fn repeat(x: &[f64], columns: usize, times: usize) -> Vec<f64> {
    x.chunks(columns).flat_map(|row| std::iter::repeat_n(row, times).flatten()).copied().collect()
}

/// The sum of each row of `x` `[rows, columns]`.
pub fn sums(x: &[f64], columns: usize) -> Vec<f64> {
    x.chunks(columns).map(|row| row.iter().sum()).collect()
}
