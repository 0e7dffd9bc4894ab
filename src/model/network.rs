//! The encoder and decoder of a model: layers in a row, declared in one graph.

use super::blueprint::{Blueprint, PlannedLayer};
use super::layer::LayerConfig;
use super::{InitScheme, Likelihood, ModelConfig};
use crate::Result;
use crate::graph::{BatchNorm, Graph, Init, Parameter, Shape, Tensor};

/// Layers in a row. Its parameters are declared once; it is recorded once a graph.
#[derive(Clone, Debug)]
pub struct Stack {
    layers: Vec<Layer>,
}

/// A layer with its parameters.
#[derive(Clone, Debug)]
struct Layer {
    label: String,
    config: LayerConfig,
    input: Shape,
    weight: Option<Parameter>,
    bias: Option<Parameter>,
    norm: Option<BatchNorm>,
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
        Self { label, config: kind.clone(), input: *input, weight, bias, norm }
    }

    fn record(&self, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
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
    /// What the KL to the prior is multiplied by.
    pub kl_weight: f32,
}

impl Network {
    pub(super) fn declare(graph: &mut Graph, config: &ModelConfig, blueprint: &Blueprint) -> Self {
        Self {
            encoder: Stack::declare(graph, "encoder", &blueprint.encoder, config),
            decoder: Stack::declare(graph, "decoder", &blueprint.decoder, config),
            likelihood: Likelihood::declare(config, graph),
            kl_weight: config.kl_weight,
        }
    }
}
