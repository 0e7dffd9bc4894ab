//! Convolution and its transpose: one product forward, two and a column sum backward. Each is the other's
//! input gradient, and both have the same gradient of the weight.

use super::layer::{Layer, LinearMap};
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
    ///
    /// # Errors
    /// As [`Window::output`]; [`Error::Shape`] where x, shape, window, weight and bias do not fit, or are of
    /// another graph; [`Error::Setting`] beyond the largest convolution.
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
        let out_channels = match weight.shape[..] {
            [out, height, width, channels] if fits(window, shape, [height, width, channels]) => out as u32,
            _ => return Err(misfit(label, weight, &format!("[out, {}]", tail(window, shape)))),
        };
        let output = named(label, window.output(shape, out_channels))?;
        let map = Convolution { geometry: window.geometry(x.rows, shape, output), onward: Direction::Down };
        self.convolution(label, (x, shape), map, output, (weight, bias), activation)
    }

    /// The transposed convolution `f(weightᵀ * x + bias)`, as [`Graph::conv2d`] with the weight
    /// `[in_channels, kernel_height, kernel_width, out_channels]`: without bias and activation it is the
    /// adjoint of the convolution that has the same weight and window.
    ///
    /// # Errors
    /// As [`Graph::conv2d`] and [`Window::transposed_output`].
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
        let out_channels = match weight.shape[..] {
            [channels, height, width, out] if fits(window, shape, [height, width, channels]) => out as u32,
            _ => {
                let [height, width] = window.kernel;
                let expected = format!("[{}, {height}, {width}, out]", shape.channels);
                return Err(misfit(label, weight, &expected));
            }
        };
        let output = named(label, window.transposed_output(shape, out_channels))?;
        let map = Convolution { geometry: window.geometry(x.rows, output, shape), onward: Direction::Up };
        self.convolution(label, (x, shape), map, output, (weight, bias), activation)
    }

    fn convolution(
        &mut self,
        label: &str,
        (x, input): (Tensor, Shape),
        map: Convolution,
        output: Shape,
        (weight, bias): (&Parameter, Option<&Parameter>),
        activation: Activation,
    ) -> Result<(Tensor, Shape)> {
        if input.columns() != Some(x.columns) {
            let expected = format!("an input of {input}");
            return Err(Error::shape(label, expected, format!("{} numbers", x.columns)));
        }
        let layer = Layer {
            map,
            label: label.to_owned(),
            x,
            weight: weight.clone(),
            bias: bias.cloned(),
            columns: output.columns().unwrap_or_default(),
            channels: output.channels,
        };
        Ok((layer.record(self, activation)?, output))
    }
}

fn fits(window: &Window, input: Shape, [height, width, channels]: [usize; 3]) -> bool {
    let [kernel_height, kernel_width] = window.kernel;
    [height, width, channels] == [kernel_height, kernel_width, input.channels].map(|extent| extent as usize)
}

fn tail(window: &Window, input: Shape) -> String {
    let [height, width] = window.kernel;
    format!("{height}, {width}, {}", input.channels)
}

fn misfit(label: &str, weight: &Parameter, expected: &str) -> Error {
    Error::shape(label, format!("a weight {expected}"), format!("{:?}", weight.shape))
}

fn named<T>(label: &str, result: Result<T>) -> Result<T> {
    result.map_err(|error| match error {
        Error::Setting { setting, expected, got } => {
            Error::Setting { setting: format!("{label}: {setting}"), expected, got }
        }
        Error::Shape { operation, expected, got } => {
            Error::Shape { operation: format!("{label}: {operation}"), expected, got }
        }
        other => other,
    })
}

struct Convolution {
    geometry: Geometry,
    // From input to result.
    onward: Direction,
}

impl Convolution {
    fn record(
        &self,
        graph: &mut Graph,
        label: &str,
        direction: Direction,
        (epilogue, accumulate): (Epilogue, bool),
        operands: &[Slice],
    ) -> Result<()> {
        let conv = Conv { direction, geometry: self.geometry, epilogue, accumulate };
        graph.record(label, conv, operands)
    }
}

impl LinearMap for Convolution {
    fn onward(&self, graph: &mut Graph, label: &str, epilogue: Epilogue, operands: &[Slice]) -> Result<()> {
        self.record(graph, label, self.onward, (epilogue, false), operands)
    }

    fn back(
        &self,
        graph: &mut Graph,
        label: &str,
        epilogue: (Epilogue, bool),
        operands: &[Slice],
    ) -> Result<()> {
        self.record(graph, label, self.onward.reversed(), epilogue, operands)
    }

    fn weight_gradient(
        &self,
        graph: &mut Graph,
        label: &str,
        [x, dz]: [Slice; 2],
        (gradient, accumulate): (Slice, bool),
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
        let label_of_parts = format!("{label} in parts");
        let elements = self.geometry.weight();
        let parts = graph.buffer(&label_of_parts, kernel.parts() as usize * elements, false);
        graph.record(label_of_parts, kernel, &[features, image, parts])?;
        let sum = ColumnSum { accumulate, ..ColumnSum::whole(kernel.parts(), elements as u32) };
        graph.record(label, sum, &[parts, gradient])
    }
}
