//! Convolution and its transpose: one product forward, two and a column sum backward. Each is the other's
//! input gradient, and both have the same gradient of the weight.

use super::layer::LinearMap;
use super::record::within;
use super::{Graph, Parameter, Shape, Slice, Tensor, Window};
use crate::kernels::activation::Activation;
use crate::kernels::conv::{Conv, Direction, Geometry, WeightGradient};
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
        (gradient, accumulate): (Slice, bool),
        _: Option<(Slice, bool)>,
    ) -> Result<()> {
        let [features, image] = match self.onward {
            Direction::Down => [dz, x],
            Direction::Up => [x, dz],
        };
        let kernel = WeightGradient::split(self.geometry);
        if kernel.parts() == 1 {
            let whole = WeightGradient { accumulate, ..kernel };
            return graph.record(label, whole, &[features, image, gradient]);
        }
        let (count, elements) = (kernel.parts(), self.geometry.weight());
        let words = count as usize * elements;
        let parts = graph.interim(format!("{label} in parts"), words, &[features, image], kernel)?;
        let sum = ColumnSum { accumulate, ..ColumnSum::whole(count, elements as u32) };
        graph.record(label, sum, &[parts, gradient])
    }
}
