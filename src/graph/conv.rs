//! Convolution and its transpose: one product forward, two and a column sum backward. Each is the other's
//! input gradient, and both have the same gradient of the weight.

use super::build::PARAMETERS;
use super::{Graph, Parameter, Shape, Slice, Tensor, Window};
use crate::kernels::activation::{self, Activation};
use crate::kernels::conv::{Down, Geometry, Up, WeightGradient};
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
        let layer = Convolution {
            geometry: window.geometry(x.rows, shape, output),
            transposed: false,
            x,
            weight: weight.clone(),
            bias: bias.cloned(),
            label: label.to_owned(),
        };
        layer.record(self, shape, output, activation)
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
        let layer = Convolution {
            geometry: window.geometry(x.rows, output, shape),
            transposed: true,
            x,
            weight: weight.clone(),
            bias: bias.cloned(),
            label: label.to_owned(),
        };
        layer.record(self, shape, output, activation)
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
    // Whether x are the features and the result is the image.
    transposed: bool,
    x: Tensor,
    weight: Parameter,
    bias: Option<Parameter>,
    label: String,
}

impl Convolution {
    fn record(
        self,
        graph: &mut Graph,
        input: Shape,
        output: Shape,
        activation: Activation,
    ) -> Result<(Tensor, Shape)> {
        let Self { x, label, .. } = &self;
        graph.know(label, *x)?;
        for parameter in [Some(&self.weight), self.bias.as_ref()].into_iter().flatten() {
            graph.know_parameter(label, parameter)?;
        }
        if input.columns() != Some(x.columns) {
            return Err(Error::shape(
                label,
                format!("an input of {input}"),
                format!("{} numbers", x.columns),
            ));
        }
        if let Some(bias) = self.bias.as_ref().filter(|bias| bias.shape != [output.channels as usize]) {
            let expected = format!("a bias [{}]", output.channels);
            return Err(Error::shape(label, expected, format!("{:?}", bias.shape)));
        }
        let columns = output.columns().unwrap_or_default();
        let y = graph.tensor(label, x.rows, columns, true);
        graph.will_use(*x);
        self.forward(graph, y, activation)?;
        graph.push_backward(move |graph| self.backward(graph, y, output));
        Ok((y, output))
    }

    // The product towards features, or towards the image.
    fn product(
        &self,
        graph: &mut Graph,
        label: String,
        down: bool,
        (epilogue, accumulate): (Epilogue, bool),
        operands: &[Slice],
    ) -> Result<()> {
        let geometry = self.geometry;
        if down {
            graph.record(label, Down { geometry, epilogue, accumulate }, operands)
        } else {
            graph.record(label, Up { geometry, epilogue, accumulate }, operands)
        }
    }

    fn forward(&self, graph: &mut Graph, y: Tensor, activation: Activation) -> Result<()> {
        let (x, value) = (graph.value(self.x), graph.value(y));
        let weight = self.weight.slice(PARAMETERS);
        let (label, down, count) = (self.label.clone(), !self.transposed, y.count());
        let before =
            |graph: &mut Graph| graph.buffer(format!("{label} before {activation}"), count as usize, false);
        let mut kept = value;
        match &self.bias {
            Some(bias) => {
                let mut operands = vec![x, weight, bias.slice(PARAMETERS), value];
                if activation.keeps_input() {
                    kept = before(graph);
                    operands.push(kept);
                }
                self.product(graph, label, down, (Epilogue::Dense(activation), false), &operands)?;
            }
            None if activation == Activation::Identity => {
                self.product(graph, label, down, (Epilogue::None, false), &[x, weight, value])?;
            }
            None => {
                let z = before(graph);
                let through = format!("{label} {activation}");
                self.product(graph, label, down, (Epilogue::None, false), &[x, weight, z])?;
                graph.record(through, activation::Forward { count, activation }, &[z, value])?;
                if activation.keeps_input() {
                    kept = z;
                }
            }
        }
        if activation != Activation::Identity {
            graph.tensors[y.id].activation = Some((activation, kept));
        }
        Ok(())
    }

    fn backward(self, graph: &mut Graph, y: Tensor, output: Shape) -> Result<()> {
        let Some(dz) = graph.preactivation_gradient(y)? else { return Ok(()) };
        self.weight_gradient(graph, dz)?;
        if let Some(bias) = &self.bias {
            let (gradient, accumulate) = graph.parameter_gradient(bias);
            let pixels = y.rows * output.height * output.width;
            column_sum(
                graph,
                &format!("d {}.bias", self.label),
                dz,
                [pixels, output.channels],
                (gradient, accumulate),
            )?;
        }
        if !graph.tensors[self.x.id].needs_gradient {
            return Ok(());
        }
        let label = format!("d {}", graph.label(self.x));
        let weight = self.weight.slice(PARAMETERS);
        if let Some(target) = graph.fused_target(self.x) {
            let label = format!("{label} through {}", target.activation);
            let epilogue = (Epilogue::Slope(target.activation), target.accumulate);
            let operands = [dz, weight, target.kept, target.slice];
            return self.product(graph, label, self.transposed, epilogue, &operands);
        }
        let (dx, accumulate) = graph.gradient_target(self.x);
        self.product(graph, label, self.transposed, (Epilogue::None, accumulate), &[dz, weight, dx])
    }

    fn weight_gradient(&self, graph: &mut Graph, dz: Slice) -> Result<()> {
        let x = graph.value(self.x);
        let operands = if self.transposed { [x, dz] } else { [dz, x] };
        let label = format!("d {}.weight", self.label);
        let (gradient, accumulate) = graph.parameter_gradient(&self.weight);
        let kernel = WeightGradient::split(self.geometry);
        if kernel.parts() == 1 {
            return graph.record(
                label,
                WeightGradient { accumulate, ..kernel },
                &[&operands[..], &[gradient]].concat(),
            );
        }
        let parts =
            graph.buffer(format!("{label} in parts"), kernel.parts() as usize * self.weight.len(), false);
        graph.record(format!("{label} in parts"), kernel, &[&operands[..], &[parts]].concat())?;
        let sum = ColumnSum { accumulate, ..ColumnSum::whole(kernel.parts(), self.weight.len() as u32) };
        graph.record(label, sum, &[parts, gradient])
    }
}

// Rows to a sum, where they are so many that a GPU wants them spread.
const CHUNK: u32 = 256;

// Down the columns of `a`, in two passes where it is tall. Neighbouring rows of few columns are then seen as
// one of many, which keeps all lanes busy.
fn column_sum(
    graph: &mut Graph,
    label: &str,
    a: Slice,
    [rows, columns]: [u32; 2],
    (sums, accumulate): (Slice, bool),
) -> Result<()> {
    if rows <= 4 * CHUNK {
        return graph.record(label, ColumnSum { accumulate, ..ColumnSum::whole(rows, columns) }, &[a, sums]);
    }
    let fold =
        [32, 16, 8, 4, 2].into_iter().find(|fold| rows % fold == 0 && fold * columns <= 32).unwrap_or(1);
    let first = ColumnSum { chunk: CHUNK, ..ColumnSum::whole(rows / fold, fold * columns) };
    let lines = (rows / fold).div_ceil(CHUNK) * fold;
    let parts = graph.buffer(format!("{label} in parts"), lines as usize * columns as usize, false);
    graph.record(format!("{label} in parts"), first, &[a, parts])?;
    let second = ColumnSum { accumulate, ..ColumnSum::whole(lines, columns) };
    graph.record(label, second, &[parts, sums])
}
