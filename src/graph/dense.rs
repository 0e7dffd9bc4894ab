//! The dense layer: one product forward, two and a column sum backward.

use super::build::PARAMETERS;
use super::parameters::ALIGNMENT;
use super::{Graph, Parameter, Slice, Tensor};
use crate::kernels::activation::{self, Activation};
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::kernels::reduce::ColumnSum;
use crate::{Error, Result};

// Of one product over rows: whole alignments, so that the next may begin behind them.
const MOST_ROWS: u32 = MatMul::MAX_DEPTH / ALIGNMENT as u32 * ALIGNMENT as u32;

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
        self.layer(label, x, weight, bias, activation, false)
    }

    /// `f(x·W + bias)` with W `[in_features, out_features]`: the layer that runs a [`Graph::dense`] of the same
    /// weight backward, as in an autoencoder with tied weights.
    ///
    /// # Errors
    /// As [`Graph::dense`].
    pub fn dense_transposed(
        &mut self,
        label: &str,
        x: Tensor,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
    ) -> Result<Tensor> {
        self.layer(label, x, weight, bias, activation, true)
    }

    fn layer(
        &mut self,
        label: &str,
        x: Tensor,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
        transposed: bool,
    ) -> Result<Tensor> {
        self.know(label, x)?;
        for parameter in [Some(weight), bias].into_iter().flatten() {
            self.know_parameter(label, parameter)?;
        }
        let out_features = match weight.shape[..] {
            [out_features, in_features] if !transposed && in_features == x.columns as usize => out_features,
            [in_features, out_features] if transposed && in_features == x.columns as usize => out_features,
            _ => {
                let fitting = if transposed { "[{}, out]" } else { "[out, {}]" };
                let expected = format!("a weight {}", fitting.replace("{}", &x.columns.to_string()));
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
            transposed,
            label: label.to_owned(),
        };
        self.will_use(x);
        layer.forward(self, activation)?;
        let y = layer.y;
        self.push_backward(move |graph| layer.backward(graph));
        Ok(y)
    }
}

impl Graph {
    /// `c = aᵀ b`, or `+=`, of two matrices of `rows` rows, each given with its number of columns: split where
    /// that is deeper than one product may be.
    pub(super) fn record_over_rows(
        &mut self,
        label: &str,
        mut a: (Slice, u32),
        mut b: (Slice, u32),
        rows: u32,
        c: Slice,
        mut accumulate: bool,
    ) -> Result<()> {
        let mut left = rows;
        while left > 0 {
            let depth = left.min(MOST_ROWS);
            let (rows, columns, layout, epilogue) = (a.1, b.1, Layout::Tn, Epilogue::None);
            let kernel = MatMul { rows, columns, depth, layout, epilogue, accumulate };
            self.record(label, kernel, &[a.0, b.0, c])?;
            for (slice, columns) in [&mut a, &mut b] {
                let taken = (depth as usize * *columns as usize).min(slice.words);
                slice.offset += taken;
                slice.words -= taken;
            }
            accumulate = true;
            left -= depth;
        }
        Ok(())
    }
}

struct Dense {
    x: Tensor,
    y: Tensor,
    weight: Parameter,
    bias: Option<Parameter>,
    // Whether the weight is [in, out].
    transposed: bool,
    label: String,
}

impl Dense {
    // [batch, in] to [batch, out].
    fn onward(&self, epilogue: Epilogue) -> MatMul {
        let layout = if self.transposed { Layout::Nn } else { Layout::Nt };
        let (rows, columns, depth) = (self.x.rows, self.y.columns, self.x.columns);
        MatMul { rows, columns, depth, layout, epilogue, accumulate: false }
    }

    // [batch, out] back to [batch, in].
    fn back(&self, epilogue: Epilogue, accumulate: bool) -> MatMul {
        let layout = if self.transposed { Layout::Nt } else { Layout::Nn };
        let (rows, columns, depth) = (self.x.rows, self.x.columns, self.y.columns);
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
                graph.record(&self.label, self.onward(Epilogue::Dense(activation)), &operands)?;
            }
            None if activation == Activation::Identity => {
                graph.record(&self.label, self.onward(Epilogue::None), &[x, weight, y])?;
            }
            None => {
                let z = graph.buffer(format!("{} before {activation}", self.label), count as usize, false);
                graph.record(&self.label, self.onward(Epilogue::None), &[x, weight, z])?;
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
        self.weight_gradient(graph, dz)?;
        if let Some(bias) = &self.bias {
            let (gradient, accumulate) = graph.parameter_gradient(bias);
            let kernel = ColumnSum { accumulate, ..ColumnSum::whole(self.y.rows, self.y.columns) };
            graph.record(format!("d {}.bias", self.label), kernel, &[dz, gradient])?;
        }
        if !graph.tensors[self.x.id].needs_gradient {
            return Ok(());
        }
        let label = format!("d {}", graph.label(self.x));
        let weight = self.weight.slice(PARAMETERS);
        if let Some(target) = graph.fused_target(self.x) {
            let kernel = self.back(Epilogue::Slope(target.activation), target.accumulate);
            let label = format!("{label} through {}", target.activation);
            return graph.record(label, kernel, &[dz, weight, target.kept, target.slice]);
        }
        let (dx, accumulate) = graph.gradient_target(self.x);
        graph.record(label, self.back(Epilogue::None, accumulate), &[dz, weight, dx])
    }

    fn weight_gradient(&self, graph: &mut Graph, dz: Slice) -> Result<()> {
        let (dz, x) = ((dz, self.y.columns), (graph.value(self.x), self.x.columns));
        let [a, b] = if self.transposed { [x, dz] } else { [dz, x] };
        let (gradient, accumulate) = graph.parameter_gradient(&self.weight);
        let label = format!("d {}.weight", self.label);
        graph.record_over_rows(&label, a, b, self.x.rows, gradient, accumulate)
    }
}
