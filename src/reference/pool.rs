//! Max pooling and its gradient: the twin of `shaders/pool.wgsl` and `shaders/pool_backward.wgsl`.

/// How many windows fit into `extent` pixels, a stride apart: `floor((extent - window) / stride) + 1`, what does not
/// fill a window being left out; 0 where none fits.
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
    let mut dx = vec![0.0; count];
    for (dy, at) in dy.into_iter().zip(chosen) {
        dx[*at as usize] += dy;
    }
    dx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_is_the_central_difference_of_the_pooled_output() {
        let h = 1e-4;
        for (shape, window, stride) in
            [([2, 5, 6, 3], [2, 3], [2, 2]), ([1, 7, 7, 1], [3, 3], [1, 2]), ([1, 4, 9, 2], [1, 2], [3, 4])]
        {
            // Distinct, and further apart than the step.
            let count = shape.iter().product::<u32>();
            let x: Vec<f64> = (0..count).map(|i| f64::from(i * 37 % 211) * 0.01).collect();
            let chosen = argmax(&x, shape, window, stride);
            let dy: Vec<f64> = (0..chosen.len()).map(|o| (o as f64).sin()).collect();
            let loss = |x: &[f64]| -> f64 {
                argmax(x, shape, window, stride).iter().zip(&dy).map(|(at, dy)| x[*at as usize] * dy).sum()
            };
            let dx = gradient(dy.iter().copied(), &chosen, x.len());
            for (e, slope) in dx.iter().enumerate() {
                let moved = |by: f64| {
                    let mut x = x.clone();
                    x[e] += by;
                    loss(&x)
                };
                let numeric = (moved(h) - moved(-h)) / (2.0 * h);
                assert!((numeric - slope).abs() < 1e-9, "{shape:?} at {e}: {slope}, numerically {numeric}");
            }
        }
    }

    #[test]
    fn of_equals_the_first_is_chosen_and_nan_before_any_number() {
        let pool = |x: &[f32]| argmax(x, [1, 2, 2, 1], [2, 2], [2, 2]);
        assert_eq!(pool(&[1.0, 3.0, 3.0, 3.0]), [1]);
        assert_eq!(pool(&[-0.0, 0.0, -1.0, 0.0]), [0]);
        assert_eq!(pool(&[f32::NEG_INFINITY; 4]), [0]);
        assert_eq!(pool(&[9.0, f32::NAN, 10.0, f32::INFINITY]), [1]);
    }

    #[test]
    fn what_does_not_fill_a_window_is_left_out() {
        assert_eq!((windows(7, 2, 2), windows(6, 2, 2), windows(7, 3, 2), windows(2, 2, 5)), (3, 3, 3, 1));
        assert_eq!((windows(1, 2, 1), windows(0, 1, 1), windows(3, 1, 0)), (0, 0, 0));
    }
}
