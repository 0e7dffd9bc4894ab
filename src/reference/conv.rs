//! Convolutions as plain loops in f64: the twin of the convolutions' shaders.

use rayon::prelude::*;

use super::reduce::add_scaled;

/// How pixels of an image and of its features lie to each other: pixel `(y, x)` of the features sees the
/// pixels `(y stride - padding + u, x stride - padding + v)` of the image, zeros where there are none.
///
/// `features[n, y, x, o] = sum over u, v, c of weight[o, u, v, c] * image[n, y s + u - p, x s + v - p', c]`. Image and
/// features are `[images, height, width, channels]`, the weight is `[out_channels, kernel_height, kernel_width,
/// channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Geometry {
    /// Images, and as many features.
    pub images: u32,
    /// Height, width and channels of an image.
    pub image: [u32; 3],
    /// Height, width and channels of its features.
    pub features: [u32; 3],
    /// Height and width of the kernel.
    pub kernel: [u32; 2],
    /// Pixels of the image to a pixel of the features, down and across.
    pub stride: [u32; 2],
    /// Zeros above and to the left of the image. What the windows reach below and to the right is zero too.
    pub padding: [u32; 2],
}

fn counts<const N: usize>(extents: [u32; N]) -> [usize; N] {
    extents.map(|extent| extent as usize)
}

impl Geometry {
    // The first elements of the image's pixels that pixel `(n, y, x)` of the features sees, each with the
    // first element of its tap in a filter.
    fn seen(&self, [n, y, x]: [usize; 3]) -> impl Iterator<Item = (usize, usize)> + use<> {
        let [height, width, channels] = counts(self.image);
        let [stride, padding, [down, across]] = [self.stride, self.padding, self.kernel].map(counts);
        let inside = move |at: usize, tap: usize, axis: usize, extent: usize| {
            (at * stride[axis] + tap).checked_sub(padding[axis]).filter(|at| *at < extent)
        };
        let taps = (0..down).flat_map(move |u| (0..across).map(move |v| [u, v]));
        taps.filter_map(move |[u, v]| {
            let (i, j) = (inside(y, u, 0, height)?, inside(x, v, 1, width)?);
            Some((((n * height + i) * width + j) * channels, (u * across + v) * channels))
        })
    }

    fn pixel(&self, number: usize) -> [usize; 3] {
        let [height, width, _] = counts(self.features);
        [number / width / height, number / width % height, number % width]
    }

    // Elements of one filter, which makes one number of the features.
    fn taps(&self) -> usize {
        counts([self.kernel[0], self.kernel[1], self.image[2]]).iter().product()
    }

    /// The features of an image, in f64.
    pub fn down(&self, image: &[f32], weight: &[f32]) -> Vec<f64> {
        let [height, width, channels] = counts(self.image);
        let images = image.len() / (height * width * channels);
        let [out_height, out_width, out_channels] = counts(self.features);
        let mut features = vec![0.0; images * out_height * out_width * out_channels];
        features.par_chunks_mut(out_channels).enumerate().for_each(|(number, out)| {
            for (from, tap) in self.seen(self.pixel(number)) {
                let pixel = &image[from..from + channels];
                for (sum, filter) in out.iter_mut().zip(weight.chunks_exact(self.taps())) {
                    let products =
                        pixel.iter().zip(&filter[tap..]).map(|(x, w)| f64::from(*x) * f64::from(*w));
                    *sum += products.sum::<f64>();
                }
            }
        });
        features
    }

    /// The adjoint: an image of features, in f64.
    pub fn up(&self, features: &[f32], weight: &[f32]) -> Vec<f64> {
        let [height, width, channels] = counts(self.image);
        let [out_height, out_width, out_channels] = counts(self.features);
        let images = features.len() / (out_height * out_width * out_channels);
        let one = height * width * channels;
        let mut image = vec![0.0; images * one];
        image.par_chunks_mut(one.max(1)).enumerate().for_each(|(n, image)| {
            for number in 0..out_height * out_width {
                let [_, y, x] = self.pixel(number);
                let number = n * out_height * out_width + number;
                let values = &features[number * out_channels..(number + 1) * out_channels];
                for (to, tap) in self.seen([0, y, x]) {
                    for (value, filter) in values.iter().zip(weight.chunks_exact(self.taps())) {
                        add_scaled(&mut image[to..to + channels], f64::from(*value), &filter[tap..]);
                    }
                }
            }
        });
        image
    }

    /// The gradient of the weight, in f64: of `chunk` pixels of the features at a time,
    /// `[ceil(pixels / chunk), out_channels, kernel_height, kernel_width, channels]`.
    pub fn weight_gradient(&self, features: &[f32], image: &[f32], chunk: usize) -> Vec<f64> {
        let [out_channels, channels] = counts([self.features[2], self.image[2]]);
        let pixels = features.len() / out_channels;
        let filters = pixels.div_ceil(chunk) * out_channels;
        let mut weight = vec![0.0; filters * self.taps()];
        weight.par_chunks_mut(self.taps()).enumerate().for_each(|(number, filter)| {
            let (part, o) = (number / out_channels, number % out_channels);
            for pixel in part * chunk..pixels.min((part + 1) * chunk) {
                let value = f64::from(features[pixel * out_channels + o]);
                for (from, tap) in self.seen(self.pixel(pixel)) {
                    add_scaled(&mut filter[tap..tap + channels], value, &image[from..]);
                }
            }
        });
        weight
    }
}
