//! The encoder and decoder of a model: layers in a row, declared in one graph.

use super::blueprint::{Blueprint, PlannedLayer};
use super::layer::LayerConfig;
use super::{InitScheme, Likelihood, ModelConfig};
use crate::Result;
use crate::graph::{BatchNorm, Graph, Init, Parameter, Shape, Tensor};
use crate::reference::activation::Activation;

/// Layers in a row. Its parameters are declared once; it is recorded once a graph.
#[derive(Clone, Debug)]
pub struct Stack {
    pub(super) layers: Vec<Layer>,
}

/// A layer with its parameters.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) label: String,
    pub(super) config: LayerConfig,
    pub(super) input: Shape,
    pub(super) weight: Option<Parameter>,
    pub(super) bias: Option<Parameter>,
    norm: Option<BatchNorm>,
    // Whether it runs another dense layer's weight backward.
    tied: bool,
}

impl Stack {
    // Declares `name.0.weight`, `name.0.bias`, ... in order.
    fn declare(graph: &mut Graph, name: &str, layers: &[PlannedLayer], config: &ModelConfig) -> Self {
        let layers = layers.iter().enumerate();
        Self {
            layers: layers
                .map(|(at, layer)| Layer::declare(graph, format!("{name}.{at}"), layer, config))
                .collect(),
        }
    }

    // Declares dense layers that run those of `encoder` backward: its weights, transposed, with biases of their own.
    fn declare_tied(
        graph: &mut Graph,
        name: &str,
        layers: &[PlannedLayer],
        encoder: &Self,
        config: &ModelConfig,
    ) -> Self {
        let pairs = layers.iter().zip(encoder.layers.iter().rev()).enumerate();
        Self {
            layers: pairs
                .map(|(at, (layer, mirrored))| {
                    Layer::mirror(graph, format!("{name}.{at}"), layer, mirrored, config)
                })
                .collect(),
        }
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
    fn declare(graph: &mut Graph, label: String, layer: &PlannedLayer, config: &ModelConfig) -> Self {
        let PlannedLayer { config: kind, input, output } = layer;
        let weight = kind.weight(*input, *output);
        let channels = output.channels as usize;
        let bias = weight.is_some() && config.bias;
        let weight = weight.map(|shape| {
            let init = first_weights(config.init, kind, &shape);
            graph.parameter(format!("{label}.weight"), shape, init)
        });
        let zero = Init::Constant(0.0);
        let bias = bias.then(|| graph.parameter(format!("{label}.bias"), vec![channels], zero));
        let norm = match kind {
            LayerConfig::BatchNorm { momentum, epsilon, activation } => {
                let (momentum, epsilon, activation) = (*momentum, *epsilon, *activation);
                Some(BatchNorm {
                    momentum,
                    epsilon,
                    activation,
                    ..BatchNorm::declare(graph, &label, output.channels)
                })
            }
            _ => None,
        };
        Self { label, config: kind.clone(), input: *input, weight, bias, norm, tied: false }
    }

    fn mirror(
        graph: &mut Graph,
        label: String,
        layer: &PlannedLayer,
        of: &Self,
        config: &ModelConfig,
    ) -> Self {
        let PlannedLayer { config: kind, input, output } = layer;
        let zero = Init::Constant(0.0);
        let channels = vec![output.channels as usize];
        let bias = config.bias.then(|| graph.parameter(format!("{label}.bias"), channels, zero));
        let weight = of.weight.clone();
        Self { label, config: kind.clone(), input: *input, weight, bias, norm: None, tied: true }
    }

    /// The layer without its bias and its activation.
    pub(super) fn linear(&self, label: String) -> Self {
        let config = self.config.clone().with_activation(Activation::Identity);
        Self { label, config, bias: None, ..self.clone() }
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
            LayerConfig::Dropout { rate } => graph.dropout(label, x, *rate),
            LayerConfig::Activation { activation } => graph.activation(label, x, *activation),
            // The others only see the same numbers in another shape.
            _ => Ok(x),
        }
    }
}

// The fans of a convolution's window count its pixels.
fn first_weights(scheme: InitScheme, layer: &LayerConfig, shape: &[usize]) -> Init {
    let window = shape.get(1..shape.len() - 1).map_or(1, |window| window.iter().product());
    let (first, last) = (shape.first().copied().unwrap_or(1), shape.last().copied().unwrap_or(1));
    let (inputs, outputs) = match layer {
        LayerConfig::ConvTranspose { .. } => (first, last),
        _ => (last, first),
    };
    let (fan_in, fan_out) = (window * inputs, window * outputs);
    match scheme {
        InitScheme::GlorotUniform => Init::GlorotUniform { fan_in, fan_out },
        InitScheme::HeUniform => Init::HeUniform { fan_in },
    }
}

/// Encoder, decoder and likelihood of one model, declared in one graph.
///
/// Every graph of a model declares all of it, in the same order, so that all its plans agree on where each
/// parameter lives.
#[derive(Clone, Debug)]
pub struct Network {
    /// From images to codes, or to the statistics of codes.
    pub encoder: Stack,
    /// From codes to the output that the likelihood reads.
    pub decoder: Stack,
    /// How reconstructions are judged.
    pub likelihood: Likelihood,
    /// The model's settings: the weights of penalties, say.
    pub config: ModelConfig,
}

impl Network {
    pub(super) fn declare(graph: &mut Graph, config: &ModelConfig, blueprint: &Blueprint) -> Self {
        let encoder = Stack::declare(graph, "encoder", &blueprint.encoder, config);
        let decoder = if config.tied {
            Stack::declare_tied(graph, "decoder", &blueprint.decoder, &encoder, config)
        } else {
            Stack::declare(graph, "decoder", &blueprint.decoder, config)
        };
        Self { encoder, decoder, likelihood: Likelihood::declare(config, graph), config: config.clone() }
    }
}
