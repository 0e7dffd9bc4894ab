//! The nodes of each operation.

use std::f32::consts::FRAC_1_SQRT_2;

use super::build::{Attribute, Builder};
use crate::export::outline::Convolution;
use crate::export::{Operation, Step};
use crate::graph::Shape;
use crate::reference::activation::Activation;

fn ints<T: Copy + Into<i64>>(numbers: &[T]) -> Attribute {
    Attribute::Ints(numbers.iter().map(|number| (*number).into()).collect())
}

impl Builder<'_> {
    /// The nodes of an operation on x; returns what it gives.
    pub(super) fn step(&mut self, step: &Step, x: String) -> String {
        let layer = &step.layer;
        let tensors: Vec<String> = step.tensors().iter().map(|name| self.tensor(name)).collect();
        let inputs: Vec<&str> = [x.as_str()].into_iter().chain(tensors.iter().map(String::as_str)).collect();
        match &step.operation {
            Operation::ToPlanes(Shape { height, width, channels }) => {
                let image = self.reshape(layer, x, &[*height, *width, *channels]);
                self.node(layer, "Transpose", &[&image], &[("perm", ints(&[0, 3, 1, 2]))])
            }
            Operation::ToRows(shape) => {
                let image = self.node(layer, "Transpose", &[&x], &[("perm", ints(&[0, 2, 3, 1]))]);
                self.reshape(layer, image, &[shape.columns().unwrap_or_default()])
            }
            Operation::Dense { tied, .. } => {
                // ONNX multiplies by `[in, out]`, which a tied layer's weight is as it stands.
                self.node(layer, "Gemm", &inputs, &[("transB", Attribute::Int(i64::from(!tied)))])
            }
            Operation::Conv(of) => {
                let [top, left] = of.before.map(i64::from);
                let [bottom, right] = of.after;
                let pads = [top, left, bottom, right];
                self.node(layer, "Conv", &inputs, &[kernel(of), strides(of), ("pads", ints(&pads))])
            }
            Operation::ConvTranspose(of) => {
                let [top, left] = of.before.map(i64::from);
                let [bottom, right] = of.after.map(|pixels| pixels.max(0));
                let pads = ("pads", ints(&[top, left, bottom, right]));
                let more = ("output_padding", ints(&of.after.map(|pixels| (-pixels).max(0))));
                self.node(layer, "ConvTranspose", &inputs, &[kernel(of), strides(of), pads, more])
            }
            Operation::MaxPool { size, stride } => {
                self.node(layer, "MaxPool", &[&x], &[("kernel_shape", ints(size)), ("strides", ints(stride))])
            }
            Operation::Upsample(factor) => self.upsample(layer, &x, *factor),
            Operation::CropOrPad { before, after } => self.crop_or_pad(layer, x, [*before, *after]),
            Operation::BatchNorm { epsilon, .. } => {
                self.node(layer, "BatchNormalization", &inputs, &[("epsilon", Attribute::Float(*epsilon))])
            }
            Operation::Activation(activation) => self.activation(layer, *activation, x),
            Operation::Dropout(_) => x,
        }
    }

    /// `[batch, extents]`
    pub(super) fn reshape(&mut self, place: &str, x: String, extents: &[u32]) -> String {
        // A zero is the extent that is there.
        let extents: Vec<i64> =
            [0].into_iter().chain(extents.iter().map(|extent| i64::from(*extent))).collect();
        let shape = self.whole(&format!("{place}/shape"), &extents);
        self.node(place, "Reshape", &[&x, &shape], &[])
    }

    /// The first and the second `latent` columns.
    pub(super) fn halves(&mut self, place: &str, x: String, latent: u32) -> [String; 2] {
        let widths = self.whole(&format!("{place}/widths"), &[i64::from(latent); 2]);
        self.node_of(place, "Split", &[&x, &widths], &[("axis", Attribute::Int(1))])
    }

    /// Numbers between bounds, both included.
    pub(super) fn clip(&mut self, place: &str, x: String, [low, high]: [f32; 2]) -> String {
        let (low, high) = (self.number(low), self.number(high));
        self.node(place, "Clip", &[&x, &low, &high], &[])
    }

    fn upsample(&mut self, layer: &str, x: &str, [down, across]: [u32; 2]) -> String {
        let scales = self.numbers(&format!("{layer}/scales"), &[1.0, 1.0, down as f32, across as f32]);
        let attributes = [
            ("mode", Attribute::Text("nearest")),
            ("coordinate_transformation_mode", Attribute::Text("asymmetric")),
            ("nearest_mode", Attribute::Text("floor")),
        ];
        self.node(layer, "Resize", &[x, "", &scales], &attributes)
    }

    fn crop_or_pad(&mut self, layer: &str, mut x: String, [before, after]: [[i64; 2]; 2]) -> String {
        if before.iter().chain(&after).any(|pixels| *pixels < 0) {
            let starts = self.whole(&format!("{layer}/starts"), &before.map(|pixels| (-pixels).max(0)));
            // Counted from the end; the largest number is all there is.
            let end = |pixels: i64| if pixels < 0 { pixels } else { i64::MAX };
            let ends = self.whole(&format!("{layer}/ends"), &after.map(end));
            let axes = self.whole(&format!("{layer}/axes"), &[2, 3]);
            x = self.node(layer, "Slice", &[&x, &starts, &ends, &axes], &[]);
        }
        if before.iter().chain(&after).any(|pixels| *pixels > 0) {
            let [top, left] = before.map(|pixels| pixels.max(0));
            let [bottom, right] = after.map(|pixels| pixels.max(0));
            let pads = self.whole(&format!("{layer}/pads"), &[0, 0, top, left, 0, 0, bottom, right]);
            x = self.node(layer, "Pad", &[&x, &pads], &[]);
        }
        x
    }

    fn activation(&mut self, layer: &str, activation: Activation, x: String) -> String {
        let operator = match activation {
            Activation::Identity => return x,
            Activation::Relu => "Relu",
            Activation::LeakyRelu => {
                return self.node(layer, "LeakyRelu", &[&x], &[("alpha", Attribute::Float(0.01))]);
            }
            // Their settings are ONNX's own.
            Activation::Elu => "Elu",
            Activation::Selu => "Selu",
            Activation::Sigmoid => "Sigmoid",
            Activation::Tanh => "Tanh",
            Activation::Softplus => "Softplus",
            Activation::Gelu => return self.gelu(layer, &x),
            Activation::Silu => {
                let gate = self.node(layer, "Sigmoid", &[&x], &[]);
                return self.node(layer, "Mul", &[&x, &gate], &[]);
            }
        };
        self.node(layer, operator, &[&x], &[])
    }

    // z (1 + erf(z / sqrt 2)) / 2: ONNX has an operator of its own only from version 20 on.
    fn gelu(&mut self, layer: &str, x: &str) -> String {
        let [root, one, half] = [FRAC_1_SQRT_2, 1.0, 0.5].map(|number| self.number(number));
        let scaled = self.node(layer, "Mul", &[x, &root], &[]);
        let erf = self.node(layer, "Erf", &[&scaled], &[]);
        let sum = self.node(layer, "Add", &[&erf, &one], &[]);
        let share = self.node(layer, "Mul", &[&sum, &half], &[]);
        self.node(layer, "Mul", &[x, &share], &[])
    }
}

fn kernel(of: &Convolution) -> (&'static str, Attribute) {
    ("kernel_shape", ints(&of.kernel))
}

fn strides(of: &Convolution) -> (&'static str, Attribute) {
    ("strides", ints(&of.stride))
}
