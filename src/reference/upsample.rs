//! Nearest-neighbour upsampling and its gradient: the twin of `shaders/upsample.wgsl`.

use super::reduce::sums_by_place;

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
    sums_by_place(dy, sources(shape, factor), shape.iter().map(|extent| *extent as usize).product())
}
