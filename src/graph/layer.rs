//! What dense and convolutional layers share: a linear map by a weight, a bias and an activation, recorded forward
//! and backward with whatever can be fused.

use super::gradient::FusedTarget;
use super::latent::{CodeTarget, D_CODE};
use super::tape::Links;
use super::{Graph, Parameter, Slice, Tensor};
use crate::kernels::Kernel;
use crate::kernels::activation::{Activate, Activation, Pass};
use crate::kernels::matmul::Epilogue;
use crate::kernels::reduce::ColumnSum;
use crate::{Error, Result};

/// A map that is linear in its input and in its weight, as kernels.
pub(super) trait LinearMap: 'static {
    type Kernel: Kernel + 'static;

    /// The map. Operands: input, weight, and those of the epilogue.
    fn onward(&self, epilogue: Epilogue) -> Self::Kernel;

    /// Its adjoint: the gradient of the input from that of the output. Operands: gradient, weight, and those of the
    /// epilogue.
    fn back(&self, epilogue: Epilogue, accumulate: bool) -> Self::Kernel;

    /// Records one of these kernels.
    fn record(graph: &mut Graph, label: &str, kernel: Self::Kernel, operands: &[Slice]) -> Result<()> {
        graph.record(label, kernel, operands)
    }

    /// Whether an activation can be part of this kernel's epilogue.
    fn takes_epilogue(_: &Self::Kernel) -> bool {
        true
    }

    /// Whether this kernel can send the gradient of a Gaussian code through its sample.
    fn takes_sample(_: &Self::Kernel) -> bool {
        false
    }

    /// Whether the gradient of the weight brings that of the bias along.
    fn sums_bias(&self) -> bool {
        false
    }

    /// Records the gradient of the weight from x and dz, written or added to the target, and with it that of the bias where
    /// one is given.
    fn weight_gradient(
        &self,
        graph: &mut Graph,
        label: &str,
        x_dz: [Slice; 2],
        target: (Slice, bool),
        bias: Option<(Slice, bool)>,
    ) -> Result<()>;
}

struct Layer<Map> {
    map: Map,
    label: String,
    x: Tensor,
    weight: Parameter,
    bias: Option<Parameter>,
    channels: u32,
}

impl Graph {
    /// Records `f(map(x, weight) + bias)`, with one number of the bias per channel. The result has `columns` numbers per
    /// image, channels innermost.
    pub(super) fn layer(
        &mut self,
        map: impl LinearMap,
        label: &str,
        x: Tensor,
        (weight, bias): (&Parameter, Option<&Parameter>),
        [columns, channels]: [u32; 2],
        activation: Activation,
    ) -> Result<Tensor> {
        self.know(label, x)?;
        let parameters: Vec<&Parameter> = std::iter::once(weight).chain(bias).collect();
        parameters.iter().try_for_each(|parameter| self.know_parameter(label, parameter))?;
        if let Some(bias) = bias.filter(|bias| bias.shape != [channels as usize]) {
            let expected = format!("a bias [{channels}]");
            return Err(Error::shape(label, expected, format!("{:?}", bias.shape)));
        }
        let y = self.tensor(label, [x.rows, columns])?;
        let (weight, bias, label) = (weight.clone(), bias.cloned(), label.to_owned());
        let links = Links::of(&[x]).through(&parameters);
        let layer = Layer { map, label, x, weight, bias, channels };
        layer.forward(self, y, activation)?;
        self.send_back(links, y, move |graph, dz| layer.backward(graph, y, dz));
        Ok(y)
    }
}

impl<Map: LinearMap> Layer<Map> {
    fn forward(&self, graph: &mut Graph, y: Tensor, activation: Activation) -> Result<()> {
        let (label, count) = (&self.label, y.count());
        let mut reads = vec![graph.value(self.x), graph.place(&self.weight)];
        reads.extend(self.bias.as_ref().map(|bias| graph.place(bias)));
        let onward = |f| self.map.onward(self.bias.as_ref().map_or(Epilogue::None, |_| Epilogue::Dense(f)));
        let fused = self.bias.is_some() && Map::takes_epilogue(&onward(activation));
        if fused || activation == Activation::Identity {
            let record = |graph: &mut Graph, operands: &[Slice]| {
                Map::record(graph, label, onward(activation), operands)
            };
            return graph.record_activated(label, y, activation, reads, record);
        }
        let [z, value] =
            [graph.buffer(format!("{label} before {activation}"), count as usize), graph.value(y)];
        reads.push(z);
        Map::record(graph, label, onward(Activation::Identity), &reads)?;
        let kernel = Activate { count, pass: Pass::Forward, activation, accumulate: false };
        graph.record(format!("{label} {activation}"), kernel, &[z, value])?;
        let kept = if activation.keeps_input() { z } else { value };
        graph.tensors[y.id].activation = Some((activation, kept));
        Ok(())
    }

    fn backward(&self, graph: &mut Graph, y: Tensor, dz: Slice) -> Result<()> {
        let (operands, label) = ([graph.value(self.x), dz], &self.label);
        let mut bias = match &self.bias {
            Some(bias) => graph.parameter_gradient(bias)?,
            None => None,
        };
        if let Some(target) = graph.parameter_gradient(&self.weight)? {
            let beside = if self.map.sums_bias() { bias.take() } else { None };
            let what = if beside.is_some() { "weight, bias" } else { "weight" };
            self.map.weight_gradient(graph, &format!("d {label}.{what}"), operands, target, beside)?;
        }
        if let Some(target) = bias {
            let extents = [y.count() / self.channels, self.channels];
            column_sum(graph, &format!("d {label}.bias"), dz, extents, target)?;
        }
        if !graph.needs_gradient(self.x) {
            return Ok(());
        }
        let weight = graph.place(&self.weight);
        let plain = |accumulate| self.map.back(Epilogue::None, accumulate);
        if Map::takes_epilogue(&plain(false))
            && let Some(FusedTarget { activation, kept, slice, accumulate }) = graph.fused_target(self.x)
        {
            let label = format!("d {} through {activation}", graph.label(self.x));
            let kernel = self.map.back(Epilogue::Slope(activation), accumulate);
            return Map::record(graph, &label, kernel, &[dz, weight, kept, slice]);
        }
        if Map::takes_sample(&plain(false))
            && let Some(CodeTarget { reads: [stats, spread], gradient, accumulate }) =
                graph.code_target(self.x)?
        {
            let kernel = self.map.back(Epilogue::Sample, accumulate);
            return Map::record(graph, D_CODE, kernel, &[dz, weight, stats, spread, gradient]);
        }
        let label = format!("d {}", graph.label(self.x));
        let (dx, accumulate) = graph.gradient_target(self.x);
        Map::record(graph, &label, plain(accumulate), &[dz, weight, dx])
    }
}

// Rows per sum, where there are so many that a GPU wants them spread.
const CHUNK: u32 = 256;

// Down the columns of `a`, in two passes where it is tall: then neighbouring rows of few columns are read as one row of
// many, which keeps all lanes busy.
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
    let fits = |fold: &u32| rows.is_multiple_of(*fold) && fold * columns <= 32;
    let fold = [32, 16, 8, 4, 2].into_iter().find(fits).unwrap_or(1);
    let first = ColumnSum { chunk: CHUNK, ..ColumnSum::whole(rows / fold, fold * columns) };
    let lines = (rows / fold).div_ceil(CHUNK) * fold;
    let words = lines as usize * columns as usize;
    let in_parts = format!("{label} in parts");
    if columns.is_multiple_of(4) {
        let parts = graph.room_for_parts(words)?;
        graph.record(in_parts, first, &[a, parts])?;
        return graph.sum_parts(label, parts, [lines, columns, columns], (sums, accumulate));
    }
    let parts = graph.interim(in_parts, words, &[a], first)?;
    let second = ColumnSum { accumulate, ..ColumnSum::whole(lines, columns) };
    graph.record(label, second, &[parts, sums])
}
