//! The dense layer: one product forward, two and a column sum backward.

use super::layer::LinearMap;
use super::product::{is_deep, is_whole};
use super::{Graph, Parameter, Slice, Tensor};
use crate::kernels::activation::Activation;
use crate::kernels::matmul::{Epilogue, Layout, MatMul};
use crate::{Error, Result};

impl Graph {
    /// `f(x·Wᵀ + bias)` with W `[out_features, in_features]`, x `[batch, in_features]` and bias
    /// `[out_features]`. Used more than once, W and bias get the sum of the gradients.
    pub fn dense(
        &mut self,
        label: &str,
        x: Tensor,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
    ) -> Result<Tensor> {
        self.either_dense(label, x, (weight, bias), activation, false)
    }

    /// `f(x·W + bias)` with W `[in_features, out_features]`: the layer that runs a [`Graph::dense`] of the same
    /// weight backward, as in an autoencoder with tied weights.
    pub fn dense_transposed(
        &mut self,
        label: &str,
        x: Tensor,
        weight: &Parameter,
        bias: Option<&Parameter>,
        activation: Activation,
    ) -> Result<Tensor> {
        self.either_dense(label, x, (weight, bias), activation, true)
    }

    fn either_dense(
        &mut self,
        label: &str,
        x: Tensor,
        (weight, bias): (&Parameter, Option<&Parameter>),
        activation: Activation,
        transposed: bool,
    ) -> Result<Tensor> {
        self.know_parameter(label, weight)?;
        let out_features = match weight.shape[..] {
            [out_features, in_features] if !transposed && in_features == x.columns as usize => out_features,
            [in_features, out_features] if transposed && in_features == x.columns as usize => out_features,
            _ => {
                let fitting = if transposed { "[{}, out]" } else { "[out, {}]" };
                let expected = format!("a weight {}", fitting.replace("{}", &x.columns.to_string()));
                return Err(Error::shape(label, expected, format!("{:?}", weight.shape)));
            }
        } as u32;
        let map = Dense { rows: x.rows, inputs: x.columns, outputs: out_features, transposed };
        self.layer(map, label, x, (weight, bias), [out_features; 2], activation)
    }

    /// `c = aᵀ b`, or `+=`, of two matrices of `rows` rows, each given with its number of columns; and the sums of a's columns,
    /// or `+=`, where they are wanted.
    pub(super) fn record_over_rows(
        &mut self,
        label: &str,
        [(a, rows), (b, columns)]: [(Slice, u32); 2],
        depth: u32,
        (c, accumulate): (Slice, bool),
        sums: Option<(Slice, bool)>,
    ) -> Result<()> {
        let epilogue = sums.map_or(Epilogue::None, |(_, accumulate)| Epilogue::Sums { accumulate });
        let product = MatMul { rows, columns, depth, layout: Layout::Tn, epilogue, accumulate };
        let operands: Vec<Slice> = [a, b, c].into_iter().chain(sums.map(|(sums, _)| sums)).collect();
        self.record_product(label, product, &operands)
    }
}

struct Dense {
    rows: u32,
    inputs: u32,
    outputs: u32,
    // Whether the weight is [in, out].
    transposed: bool,
}

impl LinearMap for Dense {
    type Kernel = MatMul;

    // [rows, in] to [rows, out].
    fn onward(&self, epilogue: Epilogue) -> MatMul {
        let layout = if self.transposed { Layout::Nn } else { Layout::Nt };
        let Self { rows, inputs: depth, outputs: columns, .. } = *self;
        MatMul { rows, columns, depth, layout, epilogue, accumulate: false }
    }

    // [rows, out] back to [rows, in].
    fn back(&self, epilogue: Epilogue, accumulate: bool) -> MatMul {
        let layout = if self.transposed { Layout::Nt } else { Layout::Nn };
        let Self { rows, inputs: columns, outputs: depth, .. } = *self;
        MatMul { rows, columns, depth, layout, epilogue, accumulate }
    }

    fn record(graph: &mut Graph, label: &str, kernel: MatMul, operands: &[Slice]) -> Result<()> {
        graph.record_product(label, kernel, operands)
    }

    fn takes_epilogue(kernel: &MatMul) -> bool {
        !is_deep(kernel)
    }

    fn takes_sample(kernel: &MatMul) -> bool {
        is_whole(kernel)
    }

    fn weight_gradient(
        &self,
        graph: &mut Graph,
        label: &str,
        [x, dz]: [Slice; 2],
        target: (Slice, bool),
        bias: Option<(Slice, bool)>,
    ) -> Result<()> {
        let (x, dz) = ((x, self.inputs), (dz, self.outputs));
        let [a, b] = if self.transposed { [x, dz] } else { [dz, x] };
        graph.record_over_rows(label, [a, b], self.rows, target, bias)
    }

    // Sums are those of the product's first matrix.
    fn sums_bias(&self) -> bool {
        !self.transposed
    }
}
