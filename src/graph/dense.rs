//! The dense layer: one product forward, two and a column sum backward.

use super::build::PARAMETERS;
use super::gradient::Gradient;
use super::{Graph, Parameter, Tensor};
use crate::kernels::activation::{self, Activation};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::reduce::ColumnSum;
use crate::{Error, Result};

impl Graph {
    /// `f(x·Wᵀ + bias)` with W `[out_features, in_features]`, x `[batch, in_features]` and bias
    /// `[out_features]`. Used more than once, W and bias get the sum of the gradients.
    ///
    /// # Errors
    /// [`Error::Shape`] where x, W and bias do not fit, or are of another graph, [`Error::Setting`] beyond
    /// the largest product.
    pub fn dense(
        &mut self,
        label: &str,
        x: Tensor,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
    ) -> Result<Tensor> {
        self.know(label, x)?;
        for parameter in [Some(weight), bias].into_iter().flatten() {
            self.know_parameter(label, parameter)?;
        }
        let out_features = match weight.shape[..] {
            [out_features, in_features] if in_features == x.columns as usize => out_features,
            _ => {
                let expected = format!("a weight [out, {}]", x.columns);
                return Err(Error::shape(label, expected, format!("{:?}", weight.shape)));
            }
        };
        if let Some(bias) = bias.filter(|bias| bias.shape != [out_features]) {
            let expected = format!("a bias [{out_features}]");
            return Err(Error::shape(label, expected, format!("{:?}", bias.shape)));
        }
        let layer = Dense {
            x,
            y: self.tensor(label, x.rows, out_features as u32, true),
            weight: weight.clone(),
            bias: bias.cloned(),
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
    weight: Parameter,
    bias: Option<Parameter>,
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
        let weight = self.weight.slice(PARAMETERS);
        let count = self.y.count();
        let mut kept = y;
        match &self.bias {
            Some(bias) => {
                let mut operands = vec![x, weight, bias.slice(PARAMETERS), y];
                if activation.keeps_input() {
                    kept = graph.buffer(format!("{} before {activation}", self.label), count as usize, false);
                    operands.push(kept);
                }
                let kernel = self.product(Layout::Nt, Epilogue::Dense(activation), false);
                graph.record(&self.label, kernel, &operands)?;
            }
            None if activation == Activation::Identity => {
                let kernel = self.product(Layout::Nt, Epilogue::None, false);
                graph.record(&self.label, kernel, &[x, weight, y])?;
            }
            None => {
                let z = graph.buffer(format!("{} before {activation}", self.label), count as usize, false);
                let kernel = self.product(Layout::Nt, Epilogue::None, false);
                graph.record(&self.label, kernel, &[x, weight, z])?;
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
        let (gradient, accumulate) = graph.parameter_gradient(&self.weight);
        let kernel = self.product(Layout::Tn, Epilogue::None, accumulate);
        graph.record(format!("d {}.weight", self.label), kernel, &[dz, x, gradient])?;
        if let Some(bias) = &self.bias {
            let (gradient, accumulate) = graph.parameter_gradient(bias);
            let kernel = ColumnSum { accumulate, ..ColumnSum::whole(self.y.rows, self.y.columns) };
            graph.record(format!("d {}.bias", self.label), kernel, &[dz, gradient])?;
        }
        let below = &graph.tensors[self.x.id];
        if !below.needs_gradient {
            return Ok(());
        }
        // As the only reader of x, this layer can carry the gradient through x's activation on the way out.
        let fused = below.activation.filter(|_| below.uses == 1 && below.gradient.is_none());
        let label = format!("d {}", below.label);
        let weight = self.weight.slice(PARAMETERS);
        let (dx, accumulate) = graph.gradient_target(self.x);
        match fused {
            Some((activation, kept)) => {
                let kernel = self.product(Layout::Nn, Epilogue::Slope(activation), false);
                graph.record(format!("{label} through {activation}"), kernel, &[dz, weight, kept, dx])?;
                graph.tensors[self.x.id].gradient = Some(Gradient { slice: dx, through_activation: true });
                Ok(())
            }
            None => {
                let kernel = self.product(Layout::Nn, Epilogue::None, accumulate);
                graph.record(label, kernel, &[dz, weight, dx])
            }
        }
    }
}
