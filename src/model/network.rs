//! The encoder and decoder of a model: layers in a row, declared in one graph.

use super::blueprint::PlannedLayer;
use super::layer::LayerConfig;
use super::{Autoencoder, InitScheme, Likelihood, ModelConfig, ReductionKind, Step};
use crate::Result;
use crate::graph::{Batch, BatchNorm, Graph, Init, Parameter, Shape, Tensor, Term};
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

/// What a stack of tied layers is declared by: its group, its name, and the stack that it runs backward.
pub(super) struct Tying<'a> {
    pub(super) group: &'a str,
    pub(super) name: &'a str,
    pub(super) of: &'a Stack,
}

impl Stack {
    // Declares `name.0.weight`, `name.0.bias`, ... in order.
    pub(super) fn declare(
        graph: &mut Graph,
        group: &str,
        name: &str,
        layers: &[PlannedLayer],
        config: &ModelConfig,
    ) -> Result<Self> {
        let layers = layers.iter().enumerate();
        let layers =
            layers.map(|(at, layer)| Layer::declare(graph, group, format!("{name}.{at}"), layer, config));
        Ok(Self { layers: layers.collect::<Result<_>>()? })
    }

    // Declares dense layers that run those of another stack backward: its weights, transposed, with biases of their own.
    pub(super) fn declare_tied(
        graph: &mut Graph,
        Tying { group, name, of }: Tying<'_>,
        layers: &[PlannedLayer],
        config: &ModelConfig,
    ) -> Result<Self> {
        let pairs = layers.iter().zip(of.layers.iter().rev()).enumerate();
        let layers = pairs.map(|(at, (layer, mirrored))| {
            Layer::mirror(graph, group, format!("{name}.{at}"), layer, mirrored, config)
        });
        Ok(Self { layers: layers.collect::<Result<_>>()? })
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
    fn declare(
        graph: &mut Graph,
        group: &str,
        label: String,
        layer: &PlannedLayer,
        config: &ModelConfig,
    ) -> Result<Self> {
        let PlannedLayer { config: kind, input, output } = layer;
        let weight = kind.weight(*input, *output);
        let channels = output.channels as usize;
        let bias = weight.is_some() && config.bias;
        let weight = weight.map(|shape| {
            let init = first_weights(config.init, kind, &shape);
            graph.parameter_of(group, format!("{label}.weight"), shape, init)
        });
        let weight = weight.transpose()?;
        let zero = Init::Constant(0.0);
        let bias = bias.then(|| graph.parameter_of(group, format!("{label}.bias"), vec![channels], zero));
        let bias = bias.transpose()?;
        let norm = match kind {
            LayerConfig::BatchNorm { momentum, epsilon, activation } => {
                let (momentum, epsilon, activation) = (*momentum, *epsilon, *activation);
                Some(BatchNorm {
                    momentum,
                    epsilon,
                    activation,
                    ..BatchNorm::declare(graph, group, &label, output.channels)?
                })
            }
            _ => None,
        };
        Ok(Self { label, config: kind.clone(), input: *input, weight, bias, norm, tied: false })
    }

    fn mirror(
        graph: &mut Graph,
        group: &str,
        label: String,
        layer: &PlannedLayer,
        of: &Self,
        config: &ModelConfig,
    ) -> Result<Self> {
        let PlannedLayer { config: kind, input, output } = layer;
        let zero = Init::Constant(0.0);
        let channels = vec![output.channels as usize];
        let bias = config.bias.then(|| graph.parameter_of(group, format!("{label}.bias"), channels, zero));
        let bias = bias.transpose()?;
        let weight = of.weight.clone();
        Ok(Self { label, config: kind.clone(), input: *input, weight, bias, norm: None, tied: true })
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
    pub(super) reduction: ReductionKind,
}

impl Network {
    /// The reconstruction term of the decoder's output on the images x, as the settings weigh it.
    pub fn nll(&self, output: Tensor, x: Tensor) -> Term {
        let term = self.likelihood.nll(output, x);
        match self.reduction {
            ReductionKind::Image => term,
            ReductionKind::Pixel => term.averaged_over_pixels(),
        }
    }
}

/// The plain autoencoder: the code is what the encoder gives, and nothing is minimized but the reconstruction.
impl Autoencoder for Network {
    fn network(&self) -> &Network {
        self
    }

    fn step(&self, batch: Batch, step: &mut Step<'_>) -> Result<()> {
        let code = self.encoder.record(step, batch.seen)?;
        let output = self.decoder.record(step, code)?;
        step.minimize(self.nll(output, batch.clean))
    }
}
