//! What a variant declares its networks with: layers for images of one size, in one graph.

use super::blueprint::{Blueprint, MOST_WEIGHTS, PlannedLayer, check_weights, planned};
use super::condition::Condition;
use super::network::{Layer, Stack};
use super::{InitScheme, LayerConfig, Likelihood, ModelConfig, Network};
use crate::graph::{BatchNorm, Graph, Init, Parameter, Shape};
use crate::{Error, Result};

/// A graph in which a variant declares what it learns, and what its settings mean for images of one size.
pub struct Declare<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) config: &'a ModelConfig,
    pub(super) image: Shape,
}

impl Declare<'_> {
    /// The model's settings.
    pub fn config(&self) -> &ModelConfig {
        self.config
    }

    /// Height, width and channels of an image.
    pub fn image(&self) -> Shape {
        self.image
    }

    /// The graph, for parameters and slots that belong to no layer.
    pub fn graph(&mut self) -> &mut Graph {
        self.graph
    }

    /// Encoder, decoder and likelihood as the settings describe them, in the group [`MODEL`](crate::graph::MODEL): the
    /// encoder's last layer gives `outputs` numbers for each of the code's.
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) naming the layer that does not fit, or where code or image come out wrong.
    pub fn network(&mut self, outputs: u32) -> Result<Network> {
        self.network_in([crate::graph::MODEL; 2], outputs)
    }

    /// As [`Declare::network`], with encoder and decoder in these groups.
    pub fn network_in(&mut self, groups: [&str; 2], outputs: u32) -> Result<Network> {
        self.network_of(groups, outputs, None)
    }

    /// As [`Declare::network`], of an encoder and a decoder that are told which of `classes` an image is of: by 0s and a 1,
    /// or by `embedding` numbers that are learned for each, the parameter `embedding.weight` `[embedding, classes]`. The
    /// encoder reads them behind the image's numbers or, where its first layer is one of pixels, as further channels of
    /// each; the decoder reads them behind the code's.
    ///
    /// # Errors
    /// As [`Declare::network`]; [`Error::Setting`](crate::Error::Setting) for no classes, and for an embedding of more weights
    /// than any device holds.
    pub fn conditional_network(
        &mut self,
        outputs: u32,
        classes: u32,
        embedding: Option<u32>,
    ) -> Result<Network> {
        if classes == 0 {
            let expected = "at least 1; training counts those of its data, a model without data must be told";
            return Err(Error::setting("classes", expected, classes));
        }
        let too_wide = |width: &u32| u64::from(*width) * u64::from(classes) > MOST_WEIGHTS;
        if let Some(width) = embedding.filter(too_wide) {
            let expected = format!("at most {MOST_WEIGHTS} weights with the {classes} classes");
            return Err(Error::setting("embedding", expected, width));
        }
        let shape = |width: u32| vec![width as usize, classes as usize];
        let declared = |width: u32| {
            let init = first_weights(self.config.init, &LayerConfig::Flatten, &shape(width));
            self.graph.parameter("embedding.weight", shape(width), init)
        };
        let embedded = embedding.map(declared).transpose()?;
        let width = embedding.unwrap_or(classes);
        let condition = Condition { classes, embedding: embedded, width, channels_of: None };
        self.network_of([crate::graph::MODEL; 2], outputs, Some(condition))
    }

    fn network_of(
        &mut self,
        [encoder_group, decoder_group]: [&str; 2],
        outputs: u32,
        condition: Option<Condition>,
    ) -> Result<Network> {
        let Self { config, image, .. } = *self;
        let told = condition.as_ref().map_or(0, |condition| condition.width);
        let blueprint = Blueprint::new(config, outputs, image, told)?;
        let channels_of = blueprint.channels_of;
        let condition = condition.map(|condition| Condition { channels_of, ..condition });
        let layers = blueprint.encoder.iter().chain(&blueprint.decoder);
        let wide = match condition.as_ref().map(|condition| &condition.embedding) {
            None => "",
            Some(None) => ", classes",
            Some(Some(_)) => ", embedding",
        };
        check_weights(&format!("hidden, latent, encoder, decoder{wide}"), layers)?;
        let encoder = self.layers(encoder_group, "encoder", &blueprint.encoder, None)?;
        let tied_to = config.tied.then_some(&encoder);
        let decoder = self.layers(decoder_group, "decoder", &blueprint.decoder, tied_to)?;
        let likelihood = Likelihood::declare(config, self.graph, decoder_group)?;
        let (latent, reduction) = (blueprint.latent, config.reduction);
        Ok(Network { encoder, decoder, likelihood, latent, gaussian_code: false, condition, reduction })
    }

    /// Layers in a row on an input of this shape, in a group of parameters: `NAME.0.weight`, `NAME.0.bias`, ...
    ///
    /// # Errors
    /// [`Error::Setting`](crate::Error::Setting) naming the layer that does not fit.
    pub fn stack(&mut self, group: &str, name: &str, layers: &[LayerConfig], input: Shape) -> Result<Stack> {
        let layers = planned(name, layers, input)?;
        check_weights(name, &layers)?;
        self.layers(group, name, &layers, None)
    }

    // Dense layers tied to another stack run it backward: its weights, transposed, with biases of their own.
    fn layers(
        &mut self,
        group: &str,
        name: &str,
        layers: &[PlannedLayer],
        tied_to: Option<&Stack>,
    ) -> Result<Stack> {
        let mut mirrored = tied_to.into_iter().flat_map(|stack| stack.layers.iter().rev());
        let layers = layers.iter().enumerate();
        let layers =
            layers.map(|(at, layer)| self.layer(group, format!("{name}.{at}"), layer, mirrored.next()));
        Ok(Stack { layers: layers.collect::<Result<_>>()? })
    }

    fn layer(
        &mut self,
        group: &str,
        label: String,
        PlannedLayer { config, input, output }: &PlannedLayer,
        tied_to: Option<&Layer>,
    ) -> Result<Layer> {
        let mut parameter = |name: &str, shape, init| -> Result<Option<Parameter>> {
            self.graph.parameter_of(group, format!("{label}.{name}"), shape, init).map(Some)
        };
        let shape = config.weight(*input, *output);
        let has_bias = shape.is_some() && self.config.bias;
        let weight = match (tied_to, shape) {
            (Some(layer), _) => layer.weight.clone(),
            (None, Some(shape)) => {
                let init = first_weights(self.config.init, config, &shape);
                parameter("weight", shape, init)?
            }
            (None, None) => None,
        };
        let channels = vec![output.channels as usize];
        let bias = if has_bias { parameter("bias", channels, Init::Constant(0.0))? } else { None };
        let norm = match config {
            LayerConfig::BatchNorm { momentum, epsilon, activation } => {
                let (momentum, epsilon, activation) = (*momentum, *epsilon, *activation);
                let norm = BatchNorm::declare(self.graph, group, &label, output.channels)?;
                Some(BatchNorm { momentum, epsilon, activation, ..norm })
            }
            _ => None,
        };
        let (config, input, tied) = (config.clone(), *input, tied_to.is_some());
        Ok(Layer { label, config, input, weight, bias, norm, tied })
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
