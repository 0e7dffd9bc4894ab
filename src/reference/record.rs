//! Recorded losses: the twin of `shaders/record.wgsl`.

/// `scale` times the sum of `values`.
pub fn scaled_sum(values: &[f32], scale: f32) -> f64 {
    f64::from(scale) * values.iter().map(|value| f64::from(*value)).sum::<f64>()
}

/// Writes `values` to `per_image` from `cursor` on, up to its end.
pub fn collect(values: &[f32], cursor: usize, per_image: &mut [f32]) {
    for (kept, value) in per_image.iter_mut().skip(cursor).zip(values) {
        *kept = *value;
    }
}
