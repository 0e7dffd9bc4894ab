//! The standard shapes of matrix products and convolutions.

use std::sync::Arc;

use crate::Result;
use crate::graph::{Padding, Shape, Window};
use crate::kernels::Kernel;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{Geometry, WeightGradient};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::reduce::ColumnSum;

// Images of a convolution: the batch size of the preset `cnn`.
const BATCH: u32 = 32;

const fn product(rows: u32, depth: u32, columns: u32, layout: Layout) -> MatMul {
    MatMul { rows, columns, depth, layout, epilogue: Epilogue::None, accumulate: false }
}

/// Matrix products: squares, which others quote too, the three products of the VAE's wide layer at batch 128 (forward,
/// gradient of the input, gradient of the weight), a small result of a long sum, and one odd shape.
pub fn products() -> Vec<MatMul> {
    vec![
        product(512, 512, 512, Layout::Nn),
        product(512, 512, 512, Layout::Nt),
        product(512, 512, 512, Layout::Tn),
        product(1024, 1024, 1024, Layout::Nn),
        MatMul { epilogue: Epilogue::Dense(Activation::Relu), ..product(128, 784, 400, Layout::Nt) },
        MatMul { epilogue: Epilogue::Slope(Activation::Relu), ..product(128, 784, 400, Layout::Nn) },
        product(784, 128, 400, Layout::Tn),
        product(128, 400, 40, Layout::Nt),
        product(127, 301, 203, Layout::Nn),
    ]
}

/// The geometry of a convolution of square kernel and image that pads with zeros, at batch 32.
///
/// # Errors
/// [`Error::Setting`](crate::Error::Setting) for an extent of zero.
pub fn geometry(kernel: u32, stride: u32, [channels, out]: [u32; 2], extent: u32) -> Result<Geometry> {
    let window = Window::new([kernel; 2], [stride; 2], Padding::Same);
    let image = Shape::new(extent, extent, channels);
    Ok(window.geometry(BATCH, image, window.output(image, out)?))
}

/// Convolutions: kernels of 3, 4 and 5, strides of 1 and 2, and from one channel to many.
///
/// # Errors
/// As [`geometry`].
pub fn convolutions() -> Result<Vec<Geometry>> {
    let shapes = [
        (3, 1, [1, 16], 28),
        (3, 1, [3, 16], 28),
        (3, 1, [16, 32], 14),
        (3, 1, [32, 64], 7),
        (3, 2, [16, 32], 28),
        (4, 2, [4, 16], 28),
        (4, 2, [32, 64], 14),
        (5, 1, [1, 16], 28),
        (5, 2, [16, 32], 14),
    ];
    shapes
        .into_iter()
        .map(|(kernel, stride, channels, extent)| geometry(kernel, stride, channels, extent))
        .collect()
}

/// The kernels of the gradient of a convolution's weight: its parts, and their sum where there are several.
pub fn weight_gradient(geometry: Geometry) -> Vec<Arc<dyn Kernel>> {
    let parts = WeightGradient::split(geometry);
    let [height, width] = geometry.kernel;
    let words = geometry.features[2] * height * width * geometry.image[2];
    let mut kernels: Vec<Arc<dyn Kernel>> = vec![Arc::new(parts)];
    if parts.parts() > 1 {
        kernels.push(Arc::new(ColumnSum::whole(parts.parts(), words)));
    }
    kernels
}
