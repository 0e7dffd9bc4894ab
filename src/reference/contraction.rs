//! The squared Frobenius norm of an encoder's Jacobian: the twin of `shaders/contraction.wgsl`.

/// The squared norm of each row of `w` `[units, columns]`: [`quadratic`] of a row and itself.
pub fn unit_norms(w: &[f64], columns: usize) -> Vec<f64> {
    w.chunks(columns).map(|row| quadratic(row, row)).collect()
}

/// `||diag(s) w||²` for one image's slopes `s` and the squared norms of the rows of w: with sigmoid units
/// Rifai et al. 2011, section 3.
pub fn unit_value(s: &[f64], norms: &[f64]) -> f64 {
    s.iter().zip(norms).map(|(s, norm)| s * s * norm).sum()
}

/// The gradient of [`unit_value`] by `s`.
pub fn unit_slopes(s: &[f64], norms: &[f64]) -> Vec<f64> {
    s.iter().zip(norms).map(|(s, norm)| 2.0 * s * norm).collect()
}

/// The gradient by `w` `[units, columns]` of the sum over images of [`unit_value`], slopes `s` `[rows, units]` held
/// fixed. `t` is `s`, or, where each image's value is weighed, `s` with each row multiplied by that weight.
pub fn unit_weights(s: &[f64], t: &[f64], w: &[f64], columns: usize) -> Vec<f64> {
    let units = w.len() / columns;
    let mut products = vec![0.0; units];
    for (i, (s, t)) in s.iter().zip(t).enumerate() {
        products[i % units] += s * t;
    }
    w.iter().enumerate().map(|(i, w)| 2.0 * products[i / columns] * w).collect()
}

/// `sum a g`: with `g = a w wᵀ` the squared norm of `a w`.
pub fn quadratic(a: &[f64], g: &[f64]) -> f64 {
    a.iter().zip(g).map(|(a, g)| a * g).sum()
}

/// The Jacobian's squared norm for one image, from its definition: layers from the image inward, each with
/// its slopes `[units]` and its weights `[units, inputs]`. Multiplies them all out.
pub fn squared_frobenius(layers: &[(&[f64], &[f64])]) -> f64 {
    let Some(((first_slopes, first), above)) = layers.split_first() else { return 0.0 };
    let scale = |slopes: &[f64], rows: &[f64]| -> Vec<f64> {
        let columns = rows.len() / slopes.len();
        rows.iter().enumerate().map(|(i, x)| slopes[i / columns] * x).collect()
    };
    let mut jacobian = scale(first_slopes, first);
    let mut rows = first_slopes.len();
    for (slopes, weight) in above {
        let columns = jacobian.len() / rows;
        let mut product = vec![0.0; slopes.len() * columns];
        for (j, out) in product.chunks_mut(columns).enumerate() {
            for (k, line) in jacobian.chunks(columns).enumerate() {
                let weight = weight[j * rows + k];
                out.iter_mut().zip(line).for_each(|(out, x)| *out += weight * x);
            }
        }
        jacobian = scale(slopes, &product);
        rows = slopes.len();
    }
    jacobian.iter().map(|x| x * x).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::compare::numeric_gradient;

    fn wave(count: usize, shift: f64) -> Vec<f64> {
        (0..count).map(|i| (shift + 1.7 * i as f64).sin()).collect()
    }

    #[test]
    fn the_units_value_is_the_jacobians_and_its_gradients_are_central_differences() {
        let (rows, units, columns) = (3, 4, 5);
        let (s, w) = (wave(rows * units, 0.1), wave(units * columns, 0.5));
        let value = |s: &[f64], w: &[f64]| -> f64 {
            let norms = unit_norms(w, columns);
            s.chunks(units).map(|s| unit_value(s, &norms)).sum()
        };
        let defined: f64 = s.chunks(units).map(|s| squared_frobenius(&[(s, &w)])).sum();
        assert!((value(&s, &w) - defined).abs() < 1e-12);
        let norms = unit_norms(&w, columns);
        let ds: Vec<f64> = s.chunks(units).flat_map(|s| unit_slopes(s, &norms)).collect();
        numeric_gradient("s", &s, &ds, |s| value(s, &w));
        numeric_gradient("w", &w, &unit_weights(&s, &s, &w, columns), |w| value(&s, w));
        let weights = wave(rows, 0.3);
        let t: Vec<f64> = s.iter().enumerate().map(|(i, s)| s * weights[i / units]).collect();
        numeric_gradient("w, weighed", &w, &unit_weights(&s, &t, &w, columns), |w| {
            let norms = unit_norms(w, columns);
            s.chunks(units).zip(&weights).map(|(s, weight)| weight * unit_value(s, &norms)).sum()
        });
    }

    #[test]
    fn a_product_has_the_value_of_its_left_factor_with_the_gram_matrix() {
        let (latent, units, pixels) = (2, 3, 7);
        let (w1, w2) = (wave(units * pixels, 0.2), wave(latent * units, 0.8));
        let (s1, s2) = (wave(units, 1.1), wave(latent, 1.3));
        let a: Vec<f64> = (0..latent * units).map(|i| s2[i / units] * w2[i] * s1[i % units]).collect();
        let dot = |j: usize, k: usize| -> f64 {
            (0..pixels).map(|x| w1[j * pixels + x] * w1[k * pixels + x]).sum()
        };
        let g = |i: usize| -> f64 { (0..units).map(|k| a[i / units * units + k] * dot(k, i % units)).sum() };
        let g: Vec<f64> = (0..a.len()).map(g).collect();
        let defined = squared_frobenius(&[(&s1, &w1), (&s2, &w2)]);
        assert!((quadratic(&a, &g) - defined).abs() < 1e-12);
    }
}
