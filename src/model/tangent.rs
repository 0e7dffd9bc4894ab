//! How a stack of layers responds to small changes of its input: its Jacobian, and products with it.

use super::network::{Layer, Network, Stack};
use super::{ContractionKind, LayerConfig};
use crate::graph::{Graph, Jacobian, Tensor, Term, contraction, projected_contraction};
use crate::reference::activation::Activation;
use crate::{Error, Result};

impl Stack {
    /// Records the layers on x, as [`Stack::record`], and returns the output of each.
    pub fn record_each(&self, graph: &mut Graph, x: Tensor) -> Result<Vec<Tensor>> {
        let mut outputs: Vec<Tensor> = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let below = outputs.last().copied().unwrap_or(x);
            outputs.push(layer.record(graph, below)?);
        }
        Ok(outputs)
    }

    /// The Jacobian of the last layer's output by the first one's input, per image; `outputs` are those of
    /// [`Stack::record_each`].
    ///
    /// # Errors
    /// [`Error::Setting`] for a layer that is not dense.
    pub fn jacobian(&self, graph: &mut Graph, outputs: &[Tensor]) -> Result<Jacobian> {
        let mut layers = Vec::with_capacity(outputs.len());
        for (layer, y) in self.layers.iter().zip(outputs) {
            match &layer.weight {
                Some(weight) if layer.config.is_dense() => layers.push((*y, weight.clone())),
                _ => {
                    let expected = "estimate where the encoder has other layers than dense ones";
                    let got = format!("exact, and {} is {}", layer.label, layer.config);
                    return Err(Error::setting("contraction", expected, got));
                }
            }
        }
        graph.jacobian("jacobian", &layers)
    }

    /// The product of that Jacobian with t, a change of the first layer's input: forward, layer by layer, each without its
    /// bias and with its slope in place of its activation.
    ///
    /// # Errors
    /// [`Error::Setting`] for batch normalisation, and for dropout in training.
    pub fn tangent(&self, graph: &mut Graph, outputs: &[Tensor], t: Tensor) -> Result<Tensor> {
        self.layers.iter().zip(outputs).try_fold(t, |t, (layer, y)| layer.tangent(graph, t, *y))
    }
}

impl Layer {
    // y is what the layer gave, and t how its input changes.
    fn tangent(&self, graph: &mut Graph, t: Tensor, y: Tensor) -> Result<Tensor> {
        let label = format!("{} tangent", self.label);
        let refused = |layer: &str| {
            let expected =
                format!("an encoder without {layer}, through which no change of one image passes alone");
            Err(Error::setting("contraction", expected, &self.label))
        };
        match self.config {
            LayerConfig::Dense { .. } | LayerConfig::Conv { .. } | LayerConfig::ConvTranspose { .. } => {
                let t = self.linear(label.clone()).record(graph, t)?;
                graph.gate(&label, t, y)
            }
            LayerConfig::MaxPool { .. } => graph.max_pool2d_tangent(&label, t, y),
            LayerConfig::Activation { activation: Activation::Identity } => Ok(t),
            LayerConfig::Activation { .. } => graph.gate(&label, t, y),
            LayerConfig::BatchNorm { .. } => refused("batch normalisation"),
            LayerConfig::Dropout { .. } if graph.is_training() => refused("dropout"),
            // The others are linear, or do nothing: what they gave may be what the layer below gave.
            _ => self.linear(label).record(graph, t),
        }
    }
}

impl Network {
    /// The squared Frobenius norm of the Jacobian of the encoder at x, `outputs` being what its layers gave there:
    /// the sum over all derivatives of the code by the pixels.
    ///
    /// The estimate's direction lies in the space of images and goes forward: through the layers' own forward
    /// passes, whatever their windows. One in the space of codes that went backward would cost the same.
    pub fn contraction(
        &self,
        graph: &mut Graph,
        x: Tensor,
        outputs: &[Tensor],
        kind: ContractionKind,
    ) -> Result<Term> {
        match kind {
            ContractionKind::Exact => Ok(contraction(self.encoder.jacobian(graph, outputs)?)),
            ContractionKind::Estimate => {
                let v = graph.directions("direction", x.rows, x.columns)?;
                Ok(projected_contraction(self.encoder.tangent(graph, outputs, v)?))
            }
        }
    }
}
