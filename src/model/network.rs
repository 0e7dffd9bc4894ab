//! The encoder and decoder of a model: layers in a row, declared in one graph.

use super::condition::Condition;
use super::{Autoencoder, LayerConfig, Likelihood, ReductionKind, Step};
use crate::graph::{Batch, BatchNorm, GaussianCode, Graph, Parameter, Shape, Tensor, Term};
use crate::{Error, Result};

/// Layers in a row. Its parameters are declared once in a graph, by [`Declare`](super::Declare).
#[derive(Clone, Debug)]
pub struct Stack {
    pub(super) layers: Vec<Layer>,
}

/// A layer with its parameters.
#[derive(Clone, Debug)]
pub struct Layer {
    /// `encoder.0`
    pub label: String,
    /// What it does. Where it has a weight, its activation is filled in.
    pub config: LayerConfig,
    /// What it sees in its input's columns.
    pub input: Shape,
    /// `[out, in]`, `[out, height, width, in]` or, of a transposed convolution, `[in, height, width, out]`.
    pub weight: Option<Parameter>,
    /// `[out]`
    pub bias: Option<Parameter>,
    /// What it learns of batch normalisation.
    pub norm: Option<BatchNorm>,
    /// Whether its weight is another dense layer's, which it runs backward.
    pub tied: bool,
}

impl Stack {
    /// Its layers, in order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Whether all of its layers are dense.
    pub fn is_dense(&self) -> bool {
        self.layers.iter().all(|layer| layer.config.is_dense())
    }

    /// Records the layers on x `[batch, columns of the first layer's input]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where x has another width.
    pub fn record(&self, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(x, |x, layer| layer.record(graph, x))
    }
}

impl Layer {
    /// The layer without its bias and its activation.
    pub(super) fn linear(&self, label: String) -> Self {
        Self { label, config: self.config.clone().linear(), bias: None, ..self.clone() }
    }

    pub(super) fn record(&self, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
        let (label, input, bias) = (&self.label, self.input, self.bias.as_ref());
        let activation = self.config.activation().unwrap_or_default();
        if let (Some(weight), Some(window)) = (&self.weight, self.config.window()) {
            let (y, _) = match self.config {
                LayerConfig::ConvTranspose { .. } => {
                    graph.conv_transpose2d(label, x, input, &window, weight, bias, activation)?
                }
                _ => graph.conv2d(label, x, input, &window, weight, bias, activation)?,
            };
            return Ok(y);
        }
        if let Some(weight) = self.weight.as_ref().filter(|_| self.tied) {
            return graph.dense_transposed(label, x, weight, bias, activation);
        }
        if let Some(weight) = &self.weight {
            return graph.dense(label, x, weight, bias, activation);
        }
        if let Some(norm) = &self.norm {
            return graph.batch_norm(label, x, input.channels, norm);
        }
        match &self.config {
            LayerConfig::MaxPool { size, stride } => {
                let stride = stride.unwrap_or(*size).pair();
                Ok(graph.max_pool2d(label, x, input, size.pair(), stride)?.0)
            }
            LayerConfig::Upsample { factor } => Ok(graph.upsample2d(label, x, input, factor.pair())?.0),
            LayerConfig::CropOrPad { size } => Ok(graph.crop_or_pad2d(label, x, input, size.pair())?.0),
            LayerConfig::Dropout { rate } => graph.dropout(label, x, *rate),
            LayerConfig::Activation { activation } => graph.activation(label, x, *activation),
            // The others only see the same numbers in another shape.
            _ => Ok(x),
        }
    }
}

/// Encoder, decoder and likelihood of one model, declared in one graph.
#[derive(Clone, Debug)]
pub struct Network {
    /// From images to codes, or to the statistics of codes.
    pub encoder: Stack,
    /// From codes to the output that the likelihood reads.
    pub decoder: Stack,
    /// How reconstructions are judged.
    pub likelihood: Likelihood,
    /// Numbers of a code.
    pub latent: u32,
    /// Whether the encoder gives mu and log variance of a Gaussian code, which is drawn to a standard normal.
    pub gaussian_code: bool,
    /// What both are told of the class of each image; None where they are told nothing.
    pub condition: Option<Condition>,
    pub(super) reduction: ReductionKind,
}

impl Network {
    /// This network with a Gaussian code: it must be declared with 2 outputs for each number of the code.
    pub fn with_gaussian_code(self) -> Self {
        Self { gaussian_code: true, ..self }
    }

    /// The classes that encoder and decoder are told of; 0 where they are told of none.
    pub fn classes(&self) -> u32 {
        self.condition.as_ref().map_or(0, |condition| condition.classes)
    }

    /// What the encoder reads: images x, and beside them their classes where it is told of them.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for classes without a condition, and for none with one.
    pub fn given(&self, graph: &mut Graph, x: Tensor, classes: Option<Tensor>) -> Result<Tensor> {
        match &self.condition {
            Some(condition) => condition.beside_images(graph, x, told(classes)?),
            None => alone(x, classes),
        }
    }

    /// What the encoder gives for images x.
    pub fn encode(&self, graph: &mut Graph, x: Tensor, classes: Option<Tensor>) -> Result<Tensor> {
        let given = self.given(graph, x, classes)?;
        self.encoder.record(graph, given)
    }

    /// What the decoder gives for codes, before the likelihood reads it.
    pub fn decode(&self, graph: &mut Graph, code: Tensor, classes: Option<Tensor>) -> Result<Tensor> {
        let given = match &self.condition {
            Some(condition) => condition.beside_codes(graph, code, told(classes)?)?,
            None => alone(code, classes)?,
        };
        self.decoder.record(graph, given)
    }

    /// The distribution q(z given x) of the codes of images x; None where codes are points.
    pub fn posterior(
        &self,
        graph: &mut Graph,
        x: Tensor,
        classes: Option<Tensor>,
    ) -> Result<Option<GaussianCode>> {
        if !self.gaussian_code {
            return Ok(None);
        }
        self.encode(graph, x, classes)?.gaussian().map(Some)
    }

    /// The reconstruction term of the decoder's output on the images x, as the settings weigh it.
    pub fn nll(&self, output: Tensor, x: Tensor) -> Term {
        let term = self.likelihood.nll(output, x);
        match self.reduction {
            ReductionKind::Image => term,
            ReductionKind::Pixel => term.averaged_over_pixels(),
        }
    }
}

fn told(classes: Option<Tensor>) -> Result<Tensor> {
    classes.ok_or_else(|| Error::shape("conditional network", "the classes of the images", "none"))
}

fn alone(x: Tensor, classes: Option<Tensor>) -> Result<Tensor> {
    if classes.is_none() { Ok(x) } else { Err(Error::shape("network", "no classes", "some")) }
}

/// The plain autoencoder: the code is what the encoder gives, and nothing is minimized but the reconstruction.
impl Autoencoder for Network {
    fn network(&self) -> &Network {
        self
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let code = self.encode(step, batch.seen, batch.classes)?;
        let output = self.decode(step, code, batch.classes)?;
        step.minimize(self.nll(output, batch.clean))
    }
}
