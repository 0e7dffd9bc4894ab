//! The window of a convolution: kernel, stride and padding, and the shapes they make.

use super::Shape;
use crate::kernels::conv::Geometry;
use crate::{Error, Result};

/// What surrounds an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Padding {
    /// Zeros that make the output `ceil(input / stride)`, or `input * stride` of a transposed convolution: half of them
    /// above and to the left, an odd one below and to the right, as in Keras and TensorFlow.
    #[default]
    Same,
    /// None.
    Valid,
    /// So many zeros on either side, `[vertical, horizontal]`, as in PyTorch. A transposed convolution's output loses as
    /// many pixels.
    Explicit([u32; 2]),
}

/// Kernel, stride and padding, each `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Height and width of the kernel.
    pub kernel: [u32; 2],
    /// Pixels from one window to the next.
    pub stride: [u32; 2],
    /// What lies around the image.
    pub padding: Padding,
    /// Extra rows and columns of a transposed convolution's output, below and to the right, as in PyTorch: they choose
    /// between the inputs of a convolution that have the same output. Less than the stride.
    pub output_padding: [u32; 2],
}

impl Window {
    /// A window without output padding.
    pub const fn new(kernel: [u32; 2], stride: [u32; 2], padding: Padding) -> Self {
        Self { kernel, stride, padding, output_padding: [0; 2] }
    }

    /// The shape a convolution makes of `input`, with `ceil(input / stride)` pixels along an axis for
    /// [`Padding::Same`], and `floor((input + 2 padding - kernel) / stride) + 1` otherwise.
    ///
    /// # Errors
    /// [`Error::Setting`] for a kernel, stride or number of channels that is zero, a kernel larger than the
    /// padded input, or an output padding; [`Error::Shape`] beyond what is counted in 32 bits.
    pub fn output(&self, input: Shape, out_channels: u32) -> Result<Shape> {
        if self.output_padding != [0; 2] {
            let got = pair(self.output_padding);
            return Err(Error::setting("output padding of a convolution", "[0, 0]", got));
        }
        self.shape(input, out_channels, |axis, [kernel, stride, extent]| {
            let padded = match self.padding {
                Padding::Same => return Ok(extent.div_ceil(stride)),
                Padding::Valid => extent,
                Padding::Explicit(padding) => extent + 2 * u64::from(padding[axis]),
            };
            match padded.checked_sub(kernel) {
                Some(over) => Ok(over / stride + 1),
                None => {
                    let expected = format!("at most the padded input's, {padded}");
                    Err(Error::setting(format!("{} of the kernel", AXES[axis]), expected, kernel))
                }
            }
        })
    }

    /// The shape a transposed convolution makes of `input`: `input * stride` pixels along an axis for
    /// [`Padding::Same`], and `(input - 1) stride + kernel - 2 padding + output_padding` otherwise.
    ///
    /// # Errors
    /// [`Error::Setting`] for a kernel, stride or number of channels that is zero, a padding that leaves
    /// nothing, an output padding beside [`Padding::Same`] or not less than the stride; [`Error::Shape`]
    /// beyond what is counted in 32 bits.
    pub fn transposed_output(&self, input: Shape, out_channels: u32) -> Result<Shape> {
        if self.padding == Padding::Same && self.output_padding != [0; 2] {
            let got = pair(self.output_padding);
            return Err(Error::setting("output padding beside the padding `same`", "[0, 0]", got));
        }
        self.shape(input, out_channels, |axis, [kernel, stride, extent]| {
            let more = u64::from(self.output_padding[axis]);
            if more >= stride {
                let expected = format!("less than the stride of {stride}");
                return Err(Error::setting("output padding", expected, more));
            }
            let cut = match self.padding {
                Padding::Same => return Ok(extent * stride),
                Padding::Valid => 0,
                Padding::Explicit(padding) => 2 * u64::from(padding[axis]),
            };
            let reach = (extent - 1) * stride + kernel + more;
            if cut >= reach {
                let expected = format!("less than half of the output's {} of {reach}", AXES[axis]);
                return Err(Error::setting("padding of a transposed convolution", expected, cut / 2));
            }
            Ok(reach - cut)
        })
    }

    /// The geometry of `images` images and their features: a convolution makes features of an image, a transposed one
    /// an image of features.
    pub fn geometry(&self, images: u32, image: Shape, features: Shape) -> Geometry {
        let extents = |shape: Shape| [shape.height, shape.width, shape.channels];
        let padding = match self.padding {
            Padding::Valid => [0; 2],
            Padding::Explicit(padding) => padding,
            Padding::Same => [0, 1].map(|axis| {
                let [kernel, stride, extent] = self.along(axis, image);
                let windows = u64::from([features.height, features.width][axis]);
                let reach = windows.saturating_sub(1) * stride + kernel;
                (reach.saturating_sub(extent) / 2) as u32
            }),
        };
        let Self { kernel, stride, .. } = *self;
        Geometry { images, image: extents(image), features: extents(features), kernel, stride, padding }
    }

    fn along(&self, axis: usize, shape: Shape) -> [u64; 3] {
        [self.kernel[axis], self.stride[axis], [shape.height, shape.width][axis]].map(u64::from)
    }

    // The shape with these extents along the axes, of kernel, stride and the input's extent.
    fn shape(
        &self,
        input: Shape,
        out_channels: u32,
        along: impl Fn(usize, [u64; 3]) -> Result<u64>,
    ) -> Result<Shape> {
        let positive = |what: &str, values: &[u32], got: String| {
            let fine = values.iter().all(|value| *value > 0);
            fine.then_some(()).ok_or_else(|| Error::setting(what, "at least 1", got))
        };
        positive("kernel", &self.kernel, pair(self.kernel))?;
        positive("stride", &self.stride, pair(self.stride))?;
        positive("input", &[input.height, input.width, input.channels], input.to_string())?;
        positive("output channels", &[out_channels], out_channels.to_string())?;
        let [height, width] = [along(0, self.along(0, input))?, along(1, self.along(1, input))?];
        let narrow = |extent: u64| u32::try_from(extent).ok();
        let shape =
            narrow(height).zip(narrow(width)).map(|(height, width)| Shape::new(height, width, out_channels));
        shape.filter(|shape| shape.columns().is_some()).ok_or_else(|| {
            let got = format!("{height} x {width} x {out_channels}");
            Error::shape("convolution", format!("an output of at most {} numbers", u32::MAX), got)
        })
    }
}

const AXES: [&str; 2] = ["height", "width"];

fn pair([vertical, horizontal]: [u32; 2]) -> String {
    format!("{vertical} x {horizontal}")
}
