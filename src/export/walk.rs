//! The one walk over a stack's layers: each becomes plain operations, with the changes of layout between them.

use super::outline::{Convolution, Operation, Step};
use crate::Result;
use crate::graph::{Shape, Window};
use crate::model::{Layer, LayerConfig};
use crate::reference::activation::Activation;
use crate::reference::crop_or_pad;

/// The operations of these layers, from rows to rows.
pub(super) fn steps(layers: &[Layer]) -> Result<Vec<Step>> {
    let mut walk = Walk::default();
    for layer in layers {
        walk.layer(layer, layer.config.output(layer.input)?);
    }
    walk.lay_in_rows();
    Ok(walk.steps)
}

#[derive(Default)]
struct Walk {
    steps: Vec<Step>,
    // The layer under way.
    label: String,
    // The shape of the planes; None where the numbers lie in rows.
    planes: Option<Shape>,
}

impl Walk {
    fn layer(&mut self, layer: &Layer, output: Shape) {
        self.label.clone_from(&layer.label);
        let input = layer.input;
        if let (Some(weight), LayerConfig::Dense { units, .. }) = (&layer.weight, &layer.config) {
            self.lay_in_rows();
            let bias = layer.bias.as_ref().map(|bias| bias.name.clone());
            let extents = [input.columns().unwrap_or_default(), *units];
            self.add(Operation::Dense { extents, weight: weight.name.clone(), tied: layer.tied, bias });
        }
        if let Some(window) = layer.config.window() {
            let convolution = match layer.config {
                LayerConfig::ConvTranspose { .. } => Operation::ConvTranspose,
                _ => Operation::Conv,
            };
            let up = matches!(layer.config, LayerConfig::ConvTranspose { .. });
            let has_bias = layer.bias.is_some();
            self.on_planes(input, output, convolution(surrounded(&window, [input, output], up, has_bias)));
        }
        match layer.config {
            LayerConfig::MaxPool { size, stride } => {
                let stride = stride.unwrap_or(size).pair();
                self.on_planes(input, output, Operation::MaxPool { size: size.pair(), stride });
            }
            LayerConfig::Upsample { factor } => {
                self.on_planes(input, output, Operation::Upsample(factor.pair()));
            }
            LayerConfig::CropOrPad { .. } => self.on_planes(input, output, about_the_middle(input, output)),
            LayerConfig::BatchNorm { momentum, epsilon, .. } => {
                if input != Shape::flat(input.channels) {
                    self.lay_in_planes(input);
                }
                let planes = self.planes.is_some();
                self.add(Operation::BatchNorm { channels: input.channels, epsilon, momentum, planes });
            }
            LayerConfig::Dropout { rate } => self.add(Operation::Dropout(rate)),
            // Another shape of the same numbers, in the order that rows have.
            LayerConfig::Flatten | LayerConfig::Reshape { .. } => self.lay_in_rows(),
            LayerConfig::Dense { .. }
            | LayerConfig::Conv { .. }
            | LayerConfig::ConvTranspose { .. }
            | LayerConfig::Activation { .. } => {}
        }
        if let Some(activation) = layer.config.activation().filter(|it| *it != Activation::Identity) {
            self.add(Operation::Activation(activation));
        }
    }

    fn add(&mut self, operation: Operation) {
        self.steps.push(Step { layer: self.label.clone(), operation });
    }

    fn on_planes(&mut self, input: Shape, output: Shape, operation: Operation) {
        self.lay_in_planes(input);
        self.add(operation);
        self.planes = Some(output);
    }

    fn lay_in_planes(&mut self, shape: Shape) {
        if self.planes.is_none() {
            self.add(Operation::ToPlanes(shape));
            self.planes = Some(shape);
        }
    }

    fn lay_in_rows(&mut self) {
        if let Some(shape) = self.planes.take() {
            self.add(Operation::ToRows(shape));
        }
    }
}

// What lies around the image of a convolution: what it reads, or what a transposed one, `up`, gives.
fn surrounded(window: &Window, [input, output]: [Shape; 2], up: bool, bias: bool) -> Convolution {
    let [image, features] = if up { [output, input] } else { [input, output] };
    let before = window.geometry(1, image, features).padding;
    let extents = |shape: Shape| [shape.height, shape.width];
    let after = [0, 1].map(|axis| {
        let windows = i64::from(extents(features)[axis]);
        let reach = (windows - 1) * i64::from(window.stride[axis]) + i64::from(window.kernel[axis]);
        reach - i64::from(extents(image)[axis]) - i64::from(before[axis])
    });
    Convolution {
        channels: [input.channels, output.channels],
        kernel: window.kernel,
        stride: window.stride,
        before,
        // Pixels that no window of a convolution reaches are left out by themselves.
        after: if up { after } else { after.map(|pixels| pixels.max(0)) },
        input: extents(input),
        output: extents(output),
        bias,
    }
}

fn about_the_middle(input: Shape, output: Shape) -> Operation {
    let extents = [(input.height, output.height), (input.width, output.width)];
    let before = extents.map(|(from, to)| {
        let [cut, added] = crop_or_pad::before(from, to);
        i64::from(added) - i64::from(cut)
    });
    let after = [0, 1].map(|axis| {
        let (from, to) = extents[axis];
        i64::from(to) - i64::from(from) - before[axis]
    });
    Operation::CropOrPad { before, after }
}
