//! What a convolution's shapes are, and within which limits the shaders are exact.

use crate::kernels::matmul::MatMul;
use crate::kernels::{Call, elements};
pub use crate::reference::conv::Geometry;

/// The product of `extents`, or `u32::MAX` where it is larger.
pub(super) fn count<const N: usize>(extents: [u32; N]) -> u32 {
    u32::try_from(elements(extents)).unwrap_or(u32::MAX)
}

impl Geometry {
    /// The largest kernel, stride and padding along an axis.
    pub const MAX_WINDOW: u32 = 4096;
    // The shaders divide by way of floats, which is exact within these.
    const MAX_PIXELS: u32 = 1 << 24;
    const MAX_LINES: u32 = 1 << 20;
    // Up to these on one side the tiles of a matrix product would be mostly empty.
    pub(super) const FEW_CHANNELS: u32 = 4;
    // Pixels to a part of the weight's gradient, where a lane makes a part's piece by itself.
    pub(super) const DIRECT_CHUNK: u32 = 64;

    /// Elements of the weight.
    pub fn weight(&self) -> usize {
        elements([self.features[2], self.kernel[0], self.kernel[1], self.image[2]])
    }

    pub(super) fn elements(&self, [height, width, channels]: [u32; 3]) -> usize {
        elements([self.images, height, width, channels])
    }

    // Elements of the weight to a feature.
    pub(super) fn filter(&self) -> u32 {
        count([self.kernel[0], self.kernel[1], self.image[2]])
    }

    // Pixels of the features.
    pub(super) fn pixels(&self) -> u32 {
        count([self.images, self.features[0], self.features[1]])
    }

    // A multiply-add for every tap of every pixel of the features, whether the tap meets the image or not.
    pub(super) fn products(&self) -> usize {
        (self.pixels() as usize).saturating_mul(self.weight())
    }

    // The uniform, for a product of `rows` x `columns`.
    pub(super) fn uniform(&self, rows: u32, columns: u32, chunk: u32) -> [(&'static str, u32); 16] {
        let Self { image, features, kernel, stride, padding, .. } = *self;
        [
            ("rows", rows),
            ("columns", columns),
            ("height", image[0]),
            ("width", image[1]),
            ("channels", image[2]),
            ("out_height", features[0]),
            ("out_width", features[1]),
            ("out_channels", features[2]),
            ("kernel_height", kernel[0]),
            ("kernel_width", kernel[1]),
            ("stride_y", stride[0]),
            ("stride_x", stride[1]),
            ("top", padding[0]),
            ("left", padding[1]),
            ("pixels", self.pixels()),
            ("chunk", chunk),
        ]
    }

    // The same sums with the sides in each other's place, by the kernel turned half round: `shaders/lib/conv_sides.wgsl`.
    pub(super) fn mirrored(&self) -> Option<Self> {
        let Self { image, features, kernel, stride, padding, .. } = *self;
        let fits = stride == [1; 2] && [0, 1].iter().all(|axis| padding[*axis] < kernel[*axis]);
        let padding = [0, 1].map(|axis: usize| kernel[axis].saturating_sub(1).saturating_sub(padding[axis]));
        fits.then_some(Self { image: features, features: image, padding, ..*self })
    }

    // What the shaders are exact within.
    pub(super) fn limit(&self, mut call: Call) -> Call {
        for extent in self.image.into_iter().chain(self.features).chain([self.images]) {
            call = call.limit("extent of a convolution", extent, 1..=u32::MAX);
        }
        for (what, values, least) in
            [("kernel", self.kernel, 1), ("stride", self.stride, 1), ("padding", self.padding, 0)]
        {
            call = values
                .into_iter()
                .fold(call, |call, value| call.limit(what, value, least..=Self::MAX_WINDOW));
        }
        let [down, across] = self.kernel;
        for [height, width, channels] in [self.image, self.features] {
            let counted = [
                ("lines of pixels in a batch", Self::MAX_LINES, [self.images, height, 1]),
                ("pixels in a batch", Self::MAX_PIXELS, [self.images, height, width]),
                ("vec4s of a filter", MatMul::MAX_DEPTH / 4, [down, across, channels.div_ceil(4)]),
            ];
            for (what, most, extents) in counted {
                call = call.limit(what, elements(extents) as u64, 0..=most.into());
            }
        }
        call
    }

    pub(super) fn shape(&self, from: [u32; 3], to: [u32; 3]) -> String {
        let text = |[height, width, channels]: [u32; 3]| format!("{height}x{width}x{channels}");
        let ([u, v], [down, across]) = (self.kernel, self.stride);
        format!("{} of {} to {} by {u}x{v}/{down}x{across}", self.images, text(from), text(to))
    }
}
