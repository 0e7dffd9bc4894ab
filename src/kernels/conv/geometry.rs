//! What a convolution's shapes are, and within which limits the shaders are exact.

use crate::kernels::within;
use crate::reference::conv::Convolution;
use crate::{Error, Result};

/// How pixels of an image and of its features lie to each other: pixel `(y, x)` of the features sees the
/// pixels `(y stride - padding + u, x stride - padding + v)` of the image, zeros where there are none.
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

#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
struct Params {
    rows: u32,
    columns: u32,
    image: [u32; 3],
    features: [u32; 3],
    kernel: [u32; 2],
    stride: [u32; 2],
    padding: [u32; 2],
    pixels: u32,
    chunk: u32,
}

impl Geometry {
    /// The largest kernel, stride and padding along an axis.
    pub const MAX_WINDOW: u32 = 4096;
    // The shaders divide by way of floats, which is exact within these.
    const MAX_PIXELS: u64 = 1 << 24;
    const MAX_LINES: u64 = 1 << 20;
    // Some CPU drivers end every loop of an invocation once they have run 65,535 rounds between them, without
    // a word. A round takes four channels of a tap, or four pixels.
    pub(super) const MAX_ROUNDS: u64 = 65_000;
    // Up to these on one side the tiles of a matrix product would be mostly empty.
    pub(super) const FEW_CHANNELS: u32 = 4;
    // The longest filter that is read by unrolled loops.
    pub(super) const MAX_SHALLOW: u32 = 100;
    // Pixels to a part of the weight's gradient, where a lane makes a part's piece by itself.
    pub(super) const DIRECT_CHUNK: u32 = 32;

    pub(super) fn taps(&self) -> u32 {
        self.kernel[0] * self.kernel[1]
    }

    /// Elements of the weight.
    pub fn weight(&self) -> usize {
        [self.features[2], self.taps(), self.image[2]].iter().map(|extent| *extent as usize).product()
    }

    pub(super) fn elements(&self, of: [u32; 3]) -> usize {
        of.iter().fold(self.images as usize, |product, extent| product * *extent as usize)
    }

    // Pixels of the features.
    pub(super) fn pixels(&self) -> u32 {
        self.images * self.features[0] * self.features[1]
    }

    pub(super) fn params(&self, rows: u32, columns: u32, chunk: u32) -> Vec<u8> {
        let Self { image, features, kernel, stride, padding, .. } = *self;
        let pixels = self.pixels();
        let params = Params { rows, columns, image, features, kernel, stride, padding, pixels, chunk };
        bytemuck::bytes_of(&params).to_vec()
    }

    // A multiply-add for every tap of every pixel of the features, whether the tap meets the image or not.
    pub(super) fn flops(&self) -> u64 {
        2 * u64::from(self.pixels()) * self.weight() as u64
    }

    pub(super) fn check(&self) -> Result<()> {
        for extent in self.image.iter().chain(&self.features).chain([&self.images]) {
            within("extent of a convolution", *extent, 1..=u32::MAX)?;
        }
        for (what, values, least) in
            [("kernel", self.kernel, 1), ("stride", self.stride, 1), ("padding", self.padding, 0)]
        {
            for value in values {
                within(what, value, least..=Self::MAX_WINDOW)?;
            }
        }
        let at_most = |what: &str, most: u64, got: u64| match got <= most {
            true => Ok(()),
            false => Err(Error::setting(what, format!("at most {most}"), got)),
        };
        let product = |extents: &[u32]| extents.iter().fold(1_u64, |p, e| p.saturating_mul(u64::from(*e)));
        for [height, width, channels] in [self.image, self.features] {
            at_most("lines of pixels in a batch", Self::MAX_LINES, product(&[self.images, height]))?;
            at_most("pixels in a batch", Self::MAX_PIXELS, product(&[self.images, height, width]))?;
            let rounds = product(&[self.taps(), channels.div_ceil(4)]);
            at_most("vec4s of a filter", Self::MAX_ROUNDS, rounds)?;
        }
        Ok(())
    }

    pub(super) fn reference(&self) -> Convolution {
        let size = |extent: u32| extent as usize;
        Convolution {
            image: self.image.map(size),
            features: self.features.map(size),
            kernel: self.kernel.map(size),
            stride: self.stride.map(size),
            padding: self.padding.map(size),
        }
    }

    pub(super) fn shape(&self, from: [u32; 3], to: [u32; 3]) -> String {
        let text = |[height, width, channels]: [u32; 3]| format!("{height}x{width}x{channels}");
        let ([u, v], [down, across]) = (self.kernel, self.stride);
        format!("{} of {} to {} by {u}x{v}/{down}x{across}", self.images, text(from), text(to))
    }
}
