//! Rows that repeat, and sums along rows: the twin of `shaders/rows.wgsl`.

/// Each row of `x` `[rows, columns]`, `times` times one after the other: `[rows * times, columns]`.
pub fn repeat(x: &[f64], columns: usize, times: usize) -> Vec<f64> {
    x.chunks(columns).flat_map(|row| std::iter::repeat_n(row, times).flatten()).copied().collect()
}

/// The sum of each row of `x` `[rows, columns]`.
pub fn sums(x: &[f64], columns: usize) -> Vec<f64> {
    x.chunks(columns).map(|row| row.iter().sum()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::compare::numeric_gradient;
    use crate::reference::reduce::column_sums;

    // Whole numbers of f32.
    fn wave(count: usize, shift: f64) -> Vec<f64> {
        (0..count).map(|i| f64::from((shift + 1.7 * i as f64).sin() as f32)).collect()
    }

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn sums_down_the_columns_of_equal_rows_are_the_gradient_of_repeating_them() {
        let (rows, columns, times) = (3, 5, 4);
        let (x, dy) = (wave(rows * columns, 0.1), wave(rows * times * columns, 0.7));
        let narrow: Vec<f32> = dy.iter().map(|dy| *dy as f32).collect();
        let dx: Vec<f64> =
            narrow.chunks(times * columns).flat_map(|rows| column_sums(rows, columns)).collect();
        numeric_gradient("x", &x, &dx, |x| dot(&repeat(x, columns, times), &dy));
    }

    #[test]
    fn repeating_a_column_is_the_gradient_of_sums_along_rows() {
        let (rows, columns) = (4, 7);
        let (x, dy) = (wave(rows * columns, 0.3), wave(rows, 0.9));
        numeric_gradient("x", &x, &repeat(&dy, 1, columns), |x| dot(&sums(x, columns), &dy));
    }
}
