//! Sums of several matrices in f64: the twin of `shaders/sums.wgsl`.

use super::reduce::add_scaled;

/// The sum of each of the first `columns` columns of a matrix of `rows` lines, each `line` numbers long.
pub fn column_sums_of_lines(a: &[f32], [rows, columns, line]: [usize; 3]) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    a.chunks(line).take(rows).for_each(|row| add_scaled(&mut sums, 1.0, row));
    sums
}
