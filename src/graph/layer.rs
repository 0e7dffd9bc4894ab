//! What dense and convolutional layers share: a linear map by a weight, a bias and an activation, recorded forward
//! and backward with whatever can be fused.

use super::tape::Links;
use super::{Graph, Parameter, Slice, Tensor};
use crate::kernels::activation::{Activate, Activation, Pass};
use crate::kernels::matmul::Epilogue;
use crate::kernels::reduce::ColumnSum;
use crate::{Error, Result};

/// A map that is linear in its input and in its weight: how its kernels are recorded.
pub(super) trait LinearMap: 'static {
    /// The map. Operands: input, weight, and those of the epilogue.
    fn onward(&self, graph: &mut Graph, label: &str, epilogue: Epilogue, operands: &[Slice]) -> Result<()>;

    /// Its adjoint: the gradient of the input from that of the output, written or added to what is there.
    /// Operands: gradient, weight, and those of the epilogue.
    fn back(
        &self,
        graph: &mut Graph,
        label: &str,
        epilogue_accumulate: (Epilogue, bool),
        operands: &[Slice],
    ) -> Result<()>;

    /// The gradient of the weight from input and gradient, to where it goes, written or added.
    fn weight_gradient(
        &self,
        graph: &mut Graph,
        label: &str,
        x_dz: [Slice; 2],
        target_accumulate: (Slice, bool),
    ) -> Result<()>;
}

/// `f(map(x, weight) + bias)`, the bias one number a channel.
pub(super) struct Layer<Map> {
    pub(super) map: Map,
    pub(super) label: String,
    pub(super) x: Tensor,
    pub(super) weight: Parameter,
    pub(super) bias: Option<Parameter>,
    /// Numbers that the result has for an image, and how many channels they are, innermost.
    pub(super) columns: u32,
    pub(super) channels: u32,
}

impl<Map: LinearMap> Layer<Map> {
    /// Records it forward, and its backward on the tape.
    pub(super) fn record(self, graph: &mut Graph, activation: Activation) -> Result<Tensor> {
        graph.know(&self.label, self.x)?;
        for parameter in [Some(&self.weight), self.bias.as_ref()].into_iter().flatten() {
            graph.know_parameter(&self.label, parameter)?;
        }
        if let Some(bias) = self.bias.as_ref().filter(|bias| bias.shape != [self.channels as usize]) {
            let expected = format!("a bias [{}]", self.channels);
            return Err(Error::shape(&self.label, expected, format!("{:?}", bias.shape)));
        }
        let y = graph.tensor(&self.label, self.x.rows, self.columns);
        self.forward(graph, y, activation)?;
        let parameters: Vec<&Parameter> =
            [Some(&self.weight), self.bias.as_ref()].into_iter().flatten().collect();
        let links = Links::new(&[self.x], y).through(&parameters);
        graph.push_backward(links, move |graph| self.backward(graph, y));
        Ok(y)
    }

    fn forward(&self, graph: &mut Graph, y: Tensor, activation: Activation) -> Result<()> {
        let (x, value) = (graph.value(self.x), graph.value(y));
        let weight = graph.place(&self.weight);
        let (label, count) = (&self.label, y.count());
        let before =
            |graph: &mut Graph| graph.buffer(format!("{label} before {activation}"), count as usize, false);
        let mut kept = value;
        match &self.bias {
            Some(bias) => {
                let mut operands = vec![x, weight, graph.place(bias), value];
                if activation.keeps_input() {
                    kept = before(graph);
                    operands.push(kept);
                }
                self.map.onward(graph, label, Epilogue::Dense(activation), &operands)?;
            }
            None if activation == Activation::Identity => {
                self.map.onward(graph, label, Epilogue::None, &[x, weight, value])?;
            }
            None => {
                let z = before(graph);
                self.map.onward(graph, label, Epilogue::None, &[x, weight, z])?;
                let label = format!("{label} {activation}");
                let kernel = Activate { count, pass: Pass::Forward, activation, accumulate: false };
                graph.record(label, kernel, &[z, value])?;
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

    fn backward(&self, graph: &mut Graph, y: Tensor) -> Result<()> {
        let Some(dz) = graph.preactivation_gradient(y)? else { return Ok(()) };
        let operands = [graph.value(self.x), dz];
        if let Some(target) = graph.parameter_gradient(&self.weight) {
            self.map.weight_gradient(graph, &format!("d {}.weight", self.label), operands, target)?;
        }
        if let Some(bias) = &self.bias
            && let Some(target) = graph.parameter_gradient(bias)
        {
            let extents = [y.count() / self.channels, self.channels];
            column_sum(graph, &format!("d {}.bias", self.label), dz, extents, target)?;
        }
        if !graph.needs_gradient(self.x) {
            return Ok(());
        }
        let label = format!("d {}", graph.label(self.x));
        let weight = graph.place(&self.weight);
        if let Some(target) = graph.fused_target(self.x) {
            let label = format!("{label} through {}", target.activation);
            let epilogue = (Epilogue::Slope(target.activation), target.accumulate);
            return self.map.back(graph, &label, epilogue, &[dz, weight, target.kept, target.slice]);
        }
        let (dx, accumulate) = graph.gradient_target(self.x);
        self.map.back(graph, &label, (Epilogue::None, accumulate), &[dz, weight, dx])
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
    let fits = |fold: &u32| rows.is_multiple_of(*fold) && fold * columns <= 32;
    let fold = [32, 16, 8, 4, 2].into_iter().find(fits).unwrap_or(1);
    let first = ColumnSum { chunk: CHUNK, ..ColumnSum::whole(rows / fold, fold * columns) };
    let lines = (rows / fold).div_ceil(CHUNK) * fold;
    let label_of_parts = format!("{label} in parts");
    let parts = graph.buffer(&label_of_parts, lines as usize * columns as usize, false);
    graph.record(label_of_parts, first, &[a, parts])?;
    let second = ColumnSum { accumulate, ..ColumnSum::whole(lines, columns) };
    graph.record(label, second, &[parts, sums])
}
