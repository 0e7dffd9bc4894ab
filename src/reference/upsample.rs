//! Nearest-neighbour upsampling and its gradient: the twin of `shaders/upsample.wgsl`.

/// For every element of the output `[batch, height * factor[0], width * factor[1], channels]`, which element of x
/// `[batch, height, width, channels]` it repeats. `shape` is that of x.
pub fn sources(shape: [u32; 4], factor: [u32; 2]) -> impl Iterator<Item = usize> {
    let [batch, height, width, channels] = shape;
    let pixel = move |line: u32, column: u32| line / factor[0] * width + column / factor[1];
    // Images lie line under line, and each has whole groups of factor[0] lines.
    let pixels = (0..batch * height * factor[0])
        .flat_map(move |line| (0..width * factor[1]).map(move |column| pixel(line, column)));
    pixels.flat_map(move |pixel| (0..channels).map(move |channel| (pixel * channels + channel) as usize))
}

/// The gradient of x: each element gets the sum of dy over the elements that repeat it.
pub fn gradient(dy: impl IntoIterator<Item = f64>, shape: [u32; 4], factor: [u32; 2]) -> Vec<f64> {
    let mut dx = vec![0.0; shape.iter().map(|extent| *extent as usize).product()];
    for (dy, at) in dy.into_iter().zip(sources(shape, factor)) {
        dx[at] += dy;
    }
    dx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_becomes_a_block_of_itself() {
        let y: Vec<usize> = sources([2, 1, 2, 2], [2, 3]).collect();
        let line = |first: usize| {
            let pixel = |p: usize| [first + 2 * p, first + 2 * p + 1];
            [pixel(0), pixel(0), pixel(0), pixel(1), pixel(1), pixel(1)].concat()
        };
        assert_eq!(y, [line(0), line(0), line(4), line(4)].concat());
    }

    // The output is linear in x: its derivative is exact.
    #[test]
    fn the_gradient_is_the_difference_of_the_upsampled_output() {
        let (shape, factor) = ([2, 3, 2, 3], [3, 2]);
        let count = shape.iter().product::<u32>() as usize;
        let dy: Vec<f64> = (0..count * 6).map(|o| (o as f64).sin()).collect();
        let loss = |x: &[f64]| -> f64 { sources(shape, factor).zip(&dy).map(|(at, dy)| x[at] * dy).sum() };
        let dx = gradient(dy.iter().copied(), shape, factor);
        for (e, slope) in dx.iter().enumerate() {
            let moved = |by: f64| {
                let mut x: Vec<f64> = (0..count).map(|i| (i as f64).cos()).collect();
                x[e] += by;
                loss(&x)
            };
            let numeric = (moved(0.5) - moved(-0.5)) / 1.0;
            assert!((numeric - slope).abs() < 1e-9, "at {e}: {slope}, numerically {numeric}");
        }
    }
}
