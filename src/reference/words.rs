//! Operands as words and as numbers: how every reference reads and writes them.

/// Views words as floats.
pub fn floats(words: &[u32]) -> &[f32] {
    bytemuck::cast_slice(words)
}

/// Views words as floats, to write.
pub fn floats_mut(words: &mut [u32]) -> &mut [f32] {
    bytemuck::cast_slice_mut(words)
}

/// An operand's words as floats in f64.
pub fn widened(words: &[u32]) -> Vec<f64> {
    floats(words).iter().map(|value| f64::from(*value)).collect()
}

/// `=` or, where `accumulate`, `+=`.
pub fn put(target: &mut f32, value: f64, accumulate: bool) {
    let before = if accumulate { f64::from(*target) } else { 0.0 };
    *target = (before + value) as f32;
}

/// As [`put`], element by element.
pub fn put_all(target: &mut [f32], values: impl IntoIterator<Item = f64>, accumulate: bool) {
    target.iter_mut().zip(values).for_each(|(target, value)| put(target, value, accumulate));
}
