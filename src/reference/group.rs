//! Groups of consecutive rows, each made one row: the twin of `shaders/group.wgsl`.

/// A column of a group as `[top, rest]`, whose sum is `log Σ e^x`: its largest number, and `log Σ e^(x - top)`. NaN
/// where any of it is.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::compare::numeric_gradient;

    fn value(x: &[f64]) -> f64 {
        log_sum_exp(x.iter().copied()).iter().sum()
    }

    #[test]
    fn shares_are_the_central_differences_of_the_logarithm() {
        for x in [vec![0.3], vec![-2.0, 0.5, 0.4, 3.0], vec![5.0; 7], vec![-300.0, -301.0, -299.5]] {
            let parts = log_sum_exp(x.iter().copied());
            let shares: Vec<f64> = x.iter().map(|x| share(*x, parts)).collect();
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{x:?}: {shares:?}");
            numeric_gradient("x", &x, &shares, value);
        }
    }

    #[test]
    fn the_logarithm_is_that_of_the_sum_and_stays_where_a_plain_one_overflows() {
        let x = [-1.0_f64, 0.5, 2.0];
        let plain = x.iter().map(|x| x.exp()).sum::<f64>().ln();
        assert!((value(&x) - plain).abs() < 1e-14);
        for shift in [-1e6, 1e6] {
            let moved: Vec<f64> = x.iter().map(|x| x + shift).collect();
            assert!((value(&moved) - (plain + shift)).abs() < 1e-9);
        }
    }

    #[test]
    fn infinities_are_what_they_mean_and_nan_stays() {
        let [low, high] = [f64::NEG_INFINITY, f64::INFINITY];
        assert_eq!(value(&[low, low]), low);
        assert_eq!(value(&[low, 3.0]), 3.0);
        assert_eq!(value(&[low, high, 0.0]), high);
        assert!(value(&[0.0, f64::NAN, high]).is_nan());
        let shares = |x: &[f64]| {
            let parts = log_sum_exp(x.iter().copied());
            x.iter().map(|x| share(*x, parts)).collect::<Vec<f64>>()
        };
        assert_eq!(shares(&[low, 3.0]), [0.0, 1.0]);
        assert_eq!(shares(&[0.0, high]), [0.0, 1.0]);
        for share in shares(&[low, low]) {
            assert!((share - 0.5).abs() < 1e-15, "{share}");
        }
    }

    #[test]
    fn a_column_of_a_group_is_found() {
        let x: Vec<f64> = (0..24).map(f64::from).collect();
        let found: Vec<f64> = column_of(&x, [4, 3], [1, 2]).collect();
        assert_eq!(found, [14.0, 17.0, 20.0, 23.0]);
    }
}
