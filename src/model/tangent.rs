//! How a stack of layers answers to small changes of its input: its Jacobian, and products with it.

use super::ContractionKind;
use super::network::{DenseLayer, Network, Stack};
use crate::Result;
use crate::graph::{Graph, Jacobian, Objective, Tensor, contraction, projected_contraction};
use crate::reference::activation::Activation;

impl Stack {
    /// Records the layers on x, as [`Stack::record`], and gives what each of them gives.
    ///
    /// # Errors
    /// As [`Stack::record`].
    pub fn record_each(&self, graph: &mut Graph, x: Tensor) -> Result<Vec<Tensor>> {
        let mut outputs: Vec<Tensor> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let below = outputs.last().copied().unwrap_or(x);
            outputs.push(layer.record(graph, below)?);
        }
        Ok(outputs)
    }

    /// The Jacobian of the last layer's output by the first one's input, image by image, where `outputs` are what
    /// [`Stack::record_each`] gave.
    ///
    /// # Errors
    /// As [`Graph::jacobian`].
    pub fn jacobian(&self, graph: &mut Graph, outputs: &[Tensor]) -> Result<Jacobian> {
        let weights = self.layers.iter().map(|layer| layer.weight.clone());
        let layers: Vec<_> = outputs.iter().copied().zip(weights).collect();
        graph.jacobian("jacobian", &layers)
    }

    /// The product of that Jacobian with t, a change of the first layer's input: forward, layer by layer, each
    /// without its bias and with its slope in place of its activation.
    ///
    /// # Errors
    /// As [`Stack::record`].
    pub fn tangent(&self, graph: &mut Graph, outputs: &[Tensor], t: Tensor) -> Result<Tensor> {
        self.layers.iter().zip(outputs).try_fold(t, |t, (layer, y)| layer.tangent(graph, t, *y))
    }
}

impl DenseLayer {
    fn tangent(&self, graph: &mut Graph, t: Tensor, y: Tensor) -> Result<Tensor> {
        let label = format!("{} tangent", self.label);
        let t =
            DenseLayer { label: label.clone(), bias: None, activation: Activation::Identity, ..self.clone() }
                .record(graph, t)?;
        graph.gate(&label, t, y)
    }
}

impl Network {
    /// The squared Frobenius norm of the Jacobian of the encoder at x, `outputs` being what its layers gave there:
    /// the sum over all derivatives of the code by the pixels.
    ///
    /// The estimate's direction lies in the space of images and goes forward: through the layers' own forward
    /// passes, whatever they are. One in the space of codes that went backward would cost the same.
    ///
    /// # Errors
    /// As [`Stack::jacobian`] and [`Stack::tangent`].
    pub fn contraction(
        &self,
        graph: &mut Graph,
        x: Tensor,
        outputs: &[Tensor],
        kind: ContractionKind,
    ) -> Result<Objective> {
        match kind {
            ContractionKind::Exact => Ok(contraction(self.encoder.jacobian(graph, outputs)?)),
            ContractionKind::Estimate => {
                let v = graph.directions("direction", x.rows, x.columns)?;
                Ok(projected_contraction(self.encoder.tangent(graph, outputs, v)?))
            }
        }
    }
}
