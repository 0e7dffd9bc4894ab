//! Max pooling and its gradient: the twin of `shaders/pool.wgsl` and `shaders/pool_backward.wgsl`.

use super::reduce::sums_by_place;

/// The number of windows that fit into `extent` pixels, a stride apart: `floor((extent - window) / stride) + 1`, or 0
/// where none fits. Pixels that do not fill a window are left out.
pub const fn windows(extent: u32, window: u32, stride: u32) -> u32 {
    match extent.checked_sub(window) {
        Some(room) if stride > 0 => (room / stride).saturating_add(1),
        _ => 0,
    }
}

/// For every element of the output `[batch, out_height, out_width, channels]`, which element of x
/// `[batch, height, width, channels]` is the largest in its window: the first of equals, row by row, and a NaN before
/// any number. `shape` is that of x.
pub fn argmax<T: Copy + PartialOrd>(
    x: &[T],
    shape: [u32; 4],
    window: [u32; 2],
    stride: [u32; 2],
) -> Vec<u32> {
    let [batch, height, width, channels] = shape;
    let down = windows(height, window[0], stride[0]);
    let across = windows(width, window[1], stride[1]);
    let element = |image: u32, row: u32, column: u32, channel: u32| {
        ((image * height + row) * width + column) * channels + channel
    };
    let is_nan = |value: T| value.partial_cmp(&value).is_none();
    let mut chosen = Vec::new();
    for image in 0..batch {
        for (row, column) in (0..down).flat_map(|row| (0..across).map(move |column| (row, column))) {
            let [top, left] = [row * stride[0], column * stride[1]];
            for channel in 0..channels {
                let mut best = element(image, top, left, channel);
                for (i, j) in (0..window[0]).flat_map(|i| (0..window[1]).map(move |j| (i, j))) {
                    let at = element(image, top + i, left + j, channel);
                    let (value, most) = (x[at as usize], x[best as usize]);
                    if value > most || is_nan(value) {
                        best = at;
                    }
                }
                chosen.push(best);
            }
        }
    }
    chosen
}

/// The gradient of the `count` elements of x: each gets dy of the windows that chose it.
pub fn gradient(dy: impl IntoIterator<Item = f64>, chosen: &[u32], count: usize) -> Vec<f64> {
    sums_by_place(dy, chosen.iter().map(|at| *at as usize), count)
}
