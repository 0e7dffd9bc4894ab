//! The dense layer: one product forward, two and a column sum backward.

use super::build::{GRADIENTS, Gradient, PARAMETERS};
use super::{Graph, Parameter, Slice, Tensor};
use crate::kernels::activation::{self, Activation};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::reduce::ColumnSum;
use crate::{Error, Result};

impl Graph {
    /// `f(x·Wᵀ + bias)` with W `[out_features, in_features]`, x `[batch, in_features]`.
    ///
    /// # Errors
    /// [`Error::Shape`] where x and W do not fit, [`Error::Setting`] beyond the largest product.
    pub fn dense(
        &mut self,
        label: &str,
        x: Tensor,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
    ) -> Result<Tensor> {
        let [out_features, in_features] = match weight.shape[..] {
            [out_features, in_features] if in_features == x.columns as usize => [out_features, in_features],
            _ => {
                let expected = format!("a weight [out, {}]", x.columns);
                return Err(Error::shape(label, expected, format!("{:?}", weight.shape)));
            }
        };
        let limit = MatMul::MAX_DEPTH as usize;
        if in_features > limit || out_features > limit || x.rows as usize > limit {
            let got = format!("{in_features} in, {out_features} out, batch {}", x.rows);
            return Err(Error::setting(label, format!("at most {limit} features and images"), got));
        }
        let layer = Dense {
            x,
            y: self.tensor(label, x.rows, out_features as u32, true),
            weight: weight.slice(PARAMETERS),
            weight_gradient: weight.slice(GRADIENTS),
            bias: bias.map(|bias| (bias.slice(PARAMETERS), bias.slice(GRADIENTS))),
            label: label.to_owned(),
        };
        self.will_use(x);
        layer.forward(self, activation)?;
        let y = layer.y;
        self.push_backward(move |graph| layer.backward(graph));
        Ok(y)
    }
}

struct Dense {
    x: Tensor,
    y: Tensor,
    weight: Slice,
    weight_gradient: Slice,
    bias: Option<(Slice, Slice)>,
    label: String,
}

impl Dense {
    fn product(&self, layout: Layout, epilogue: Epilogue, accumulate: bool) -> MatMul {
        let (batch, inputs, outputs) = (self.x.rows, self.x.columns, self.y.columns);
        let (rows, columns, depth) = match layout {
            Layout::Nt => (batch, outputs, inputs),
            Layout::Nn => (batch, inputs, outputs),
            Layout::Tn => (outputs, inputs, batch),
        };
        MatMul { rows, columns, depth, layout, epilogue, accumulate }
    }

    fn forward(&self, graph: &mut Graph, activation: Activation) -> Result<()> {
        let (x, y) = (graph.value(self.x), graph.value(self.y));
        let count = self.y.count();
        let mut kept = y;
        match self.bias {
            Some((bias, _)) => {
                let mut operands = vec![x, self.weight, bias, y];
                if activation.keeps_input() {
                    kept = graph.buffer(format!("{} before {activation}", self.label), count as usize, false);
                    operands.push(kept);
                }
                let kernel = self.product(Layout::Nt, Epilogue::Dense(activation), false);
                graph.record(&self.label, kernel, &operands)?;
            }
            None if activation == Activation::Identity => {
                let kernel = self.product(Layout::Nt, Epilogue::None, false);
                graph.record(&self.label, kernel, &[x, self.weight, y])?;
            }
            None => {
                let z = graph.buffer(format!("{} before {activation}", self.label), count as usize, false);
                let kernel = self.product(Layout::Nt, Epilogue::None, false);
                graph.record(&self.label, kernel, &[x, self.weight, z])?;
                let label = format!("{} {activation}", self.label);
                graph.record(label, activation::Forward { count, activation }, &[z, y])?;
                if activation.keeps_input() {
                    kept = z;
                }
            }
        }
        if activation != Activation::Identity {
            graph.tensors[self.y.id].activation = Some((activation, kept));
        }
        Ok(())
    }

    fn backward(self, graph: &mut Graph) -> Result<()> {
        let Some(dz) = graph.preactivation_gradient(self.y)? else { return Ok(()) };
        let x = graph.value(self.x);
        let kernel = self.product(Layout::Tn, Epilogue::None, false);
        graph.record(format!("d {}.weight", self.label), kernel, &[dz, x, self.weight_gradient])?;
        if let Some((_, gradient)) = self.bias {
            let kernel = ColumnSum::whole(self.y.rows, self.y.columns);
            graph.record(format!("d {}.bias", self.label), kernel, &[dz, gradient])?;
        }
        let below = &graph.tensors[self.x.id];
        if !below.needs_gradient {
            return Ok(());
        }
        // As the only reader of x, this layer can carry the gradient through x's activation on the way out.
        let fused = below.activation.filter(|_| below.uses == 1 && below.gradient.is_none());
        let label = format!("d {}", below.label);
        let (dx, accumulate) = graph.gradient_target(self.x);
        match fused {
            Some((activation, kept)) => {
                let kernel = self.product(Layout::Nn, Epilogue::Slope(activation), false);
                graph.record(
                    format!("{label} through {activation}"),
                    kernel,
                    &[dz, self.weight, kept, dx],
                )?;
                graph.tensors[self.x.id].gradient = Some(Gradient { slice: dx, through_activation: true });
                Ok(())
            }
            None => {
                let kernel = self.product(Layout::Nn, Epilogue::None, accumulate);
                graph.record(label, kernel, &[dz, self.weight, dx])
            }
        }
    }
}
