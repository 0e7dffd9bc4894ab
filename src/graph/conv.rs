//! Convolution and its transpose: one product forward, two backward. Each is the other's input gradient, and both have the
//! same gradient of the weight, which brings that of the bias along.

use super::layer::LinearMap;
use super::parameters::ALIGNMENT;
use super::record::within;
use super::{Graph, Parameter, Shape, Slice, Tensor, Window};
use crate::kernels::Kernel;
use crate::kernels::activation::Activation;
use crate::kernels::conv::{ChannelSums, Conv, Direction, Geometry, WeightGradient};
use crate::kernels::matmul::Epilogue;
use crate::kernels::reduce::ColumnSum;
use crate::{Error, Result};

impl Graph {
    /// `f(weight * x + bias)`, cross-correlation as in every framework: x `[batch, height, width,
    /// in_channels]` seen in `shape`, weight `[out_channels, kernel_height, kernel_width, in_channels]`, bias
    /// `[out_channels]`; with the shape of the result. Used more than once, weight and bias get the sum of
    /// the gradients.
    #[allow(clippy::too_many_arguments, reason = "a convolution is made of as many")]
    pub fn conv2d(
        &mut self,
        label: &str,
        x: Tensor,
        shape: Shape,
        window: &Window,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
    ) -> Result<(Tensor, Shape)> {
        self.convolution(label, (x, shape), window, (weight, bias), activation, Direction::Down)
    }

    /// The transposed convolution `f(weightᵀ * x + bias)`, as [`Graph::conv2d`] with the weight
    /// `[in_channels, kernel_height, kernel_width, out_channels]`: without bias and activation it is the
    /// adjoint of the convolution that has the same weight and window.
    #[allow(clippy::too_many_arguments, reason = "a convolution is made of as many")]
    pub fn conv_transpose2d(
        &mut self,
        label: &str,
        x: Tensor,
        shape: Shape,
        window: &Window,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
    ) -> Result<(Tensor, Shape)> {
        self.convolution(label, (x, shape), window, (weight, bias), activation, Direction::Up)
    }

    fn convolution(
        &mut self,
        label: &str,
        (x, input): (Tensor, Shape),
        window: &Window,
        (weight, bias): (&Parameter, Option<&Parameter>),
        activation: Activation,
        onward: Direction,
    ) -> Result<(Tensor, Shape)> {
        let ([down, across], channels) = (window.kernel, input.channels);
        let (others, expected) = match onward {
            Direction::Down => ([down, across, channels], format!("[out, {down}, {across}, {channels}]")),
            Direction::Up => ([channels, down, across], format!("[{channels}, {down}, {across}, out]")),
        };
        let out_channels = match (onward, &weight.shape[..]) {
            (Direction::Down, [out, got @ ..]) | (Direction::Up, [got @ .., out])
                if got == others.map(|extent| extent as usize) =>
            {
                *out as u32
            }
            _ => {
                return Err(Error::shape(
                    label,
                    format!("a weight {expected}"),
                    format!("{:?}", weight.shape),
                ));
            }
        };
        let output = match onward {
            Direction::Down => window.output(input, out_channels),
            Direction::Up => window.transposed_output(input, out_channels),
        };
        let output = output.map_err(|error| within(label, error))?;
        self.know_shape(label, x, input)?;
        let [image, features] = match onward {
            Direction::Down => [input, output],
            Direction::Up => [output, input],
        };
        let map = Convolution { geometry: window.geometry(x.rows, image, features), onward };
        let extents = [output.columns().unwrap_or_default(), output.channels];
        Ok((self.layer(map, label, x, (weight, bias), extents, activation)?, output))
    }
}

struct Convolution {
    geometry: Geometry,
    // From input to result.
    onward: Direction,
}

impl Convolution {
    // Of the result.
    fn channels(&self) -> u32 {
        let sides = &self.geometry;
        if self.onward == Direction::Down { sides.features[2] } else { sides.image[2] }
    }

    // The gradient of the weight, and of the bias if it is told whether to add to what is there of that.
    fn in_parts(&self, bias: Option<bool>) -> WeightGradient {
        let sums = bias.map(|accumulate| ChannelSums { of: self.onward, accumulate });
        let split = WeightGradient { sums, ..WeightGradient::split(self.geometry) };
        // Parts are written; what is added is their sum.
        let sums = sums.map(|sums| ChannelSums { accumulate: sums.accumulate && split.parts() == 1, ..sums });
        WeightGradient { sums, ..split }
    }
}

impl LinearMap for Convolution {
    type Kernel = Conv;

    fn onward(&self, epilogue: Epilogue) -> Conv {
        Conv { direction: self.onward, geometry: self.geometry, epilogue, accumulate: false }
    }

    fn back(&self, epilogue: Epilogue, accumulate: bool) -> Conv {
        Conv { direction: self.onward.reversed(), geometry: self.geometry, epilogue, accumulate }
    }

    fn weight_gradient(
        &self,
        graph: &mut Graph,
        label: &str,
        [x, dz]: [Slice; 2],
        weight: (Slice, bool),
        bias: Option<(Slice, bool)>,
    ) -> Result<()> {
        let sides = match self.onward {
            Direction::Down => [dz, x],
            Direction::Up => [x, dz],
        };
        let kernel = self.in_parts(bias.map(|(_, accumulate)| accumulate));
        let (parts, line, elements) = (kernel.parts(), kernel.line_of_sums(), self.geometry.weight() as u32);
        if parts == 1 {
            let whole = WeightGradient { accumulate: weight.1, ..kernel };
            let targets = [Some(weight), bias].into_iter().flatten().map(|(target, _)| target);
            let operands: Vec<Slice> = sides.into_iter().chain(targets).collect();
            return graph.record(label, whole, &operands);
        }
        let words = (parts as usize * elements as usize).next_multiple_of(ALIGNMENT);
        let room = graph.room_for_parts(words + bias.map_or(0, |_| parts as usize * line as usize))?;
        let (of_weight, of_bias) = (Slice { words, ..room }, room.behind(words));
        let operands: Vec<Slice> =
            sides.into_iter().chain([of_weight]).chain(bias.map(|_| of_bias)).collect();
        graph.record(format!("{label} in parts"), kernel, &operands)?;
        if elements.is_multiple_of(4) {
            graph.sum_parts(label, of_weight, [parts, elements, elements], weight)?;
        } else {
            // These are no lines of whole vec4s, which sums of several layers take.
            let sum = ColumnSum { accumulate: weight.1, ..ColumnSum::whole(parts, elements) };
            graph.record(label, sum, &[of_weight, weight.0])?;
        }
        match bias {
            Some(bias) => graph.sum_parts(label, of_bias, [parts, self.channels(), line], bias),
            None => Ok(()),
        }
    }

    fn sums_bias(&self) -> bool {
        self.in_parts(Some(false)).check().is_ok()
    }
}
