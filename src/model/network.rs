//! Stacks of dense layers, and the encoder and decoder they make.

use super::{InitScheme, Likelihood, ModelConfig, Variant};
use crate::Result;
use crate::graph::{Graph, Init, Parameter, Tensor};
use crate::reference::activation::Activation;

/// Dense layers in a row. Its parameters are declared once; it is recorded once a graph.
#[derive(Clone, Debug)]
pub struct Stack {
    layers: Vec<DenseLayer>,
}

#[derive(Clone, Debug)]
struct DenseLayer {
    label: String,
    weight: Parameter,
    bias: Option<Parameter>,
    activation: Activation,
}

impl Stack {
    /// Declares `name.0.weight`, `name.0.bias`, ... for layers from `widths[0]` to the last width. The last
    /// layer gets `last` as its activation, the others `activation`.
    pub fn declare(
        graph: &mut Graph,
        name: &str,
        widths: &[u32],
        config: &ModelConfig,
        last: Activation,
    ) -> Self {
        let count = widths.len().saturating_sub(1);
        let layers = widths.windows(2).enumerate().map(|(number, pair)| {
            let label = format!("{name}.{number}");
            let (fan_in, fan_out) = (pair[0] as usize, pair[1] as usize);
            let init = match config.init {
                InitScheme::GlorotUniform => Init::GlorotUniform { fan_in, fan_out },
                InitScheme::HeUniform => Init::HeUniform { fan_in },
            };
            let weight = graph.parameter(format!("{label}.weight"), vec![fan_out, fan_in], init);
            let zero = Init::Constant(0.0);
            let bias = config.bias.then(|| graph.parameter(format!("{label}.bias"), vec![fan_out], zero));
            let activation = if number + 1 == count { last } else { config.activation };
            DenseLayer { label, weight, bias, activation }
        });
        Self { layers: layers.collect() }
    }

    /// Records the layers on x `[batch, widths[0]]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where x has another width.
    pub fn record(&self, graph: &mut Graph, x: Tensor) -> Result<Tensor> {
        self.layers.iter().try_fold(x, |x, layer| {
            graph.dense(&layer.label, x, &layer.weight, layer.bias.as_ref(), layer.activation)
        })
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
    pub(super) fn declare(
        graph: &mut Graph,
        config: &ModelConfig,
        variant: &dyn Variant,
        pixels: u32,
    ) -> Self {
        let [down, up] = Self::widths(config, variant, pixels);
        Self {
            encoder: Stack::declare(graph, "encoder", &down, config, config.code_activation),
            decoder: Stack::declare(graph, "decoder", &up, config, config.output_activation),
            likelihood: Likelihood::declare(config, graph),
            kl_weight: config.kl_weight,
        }
    }

    // Of the encoder and the decoder, from their inputs on.
    fn widths(config: &ModelConfig, variant: &dyn Variant, pixels: u32) -> [Vec<u32>; 2] {
        let mut down = vec![pixels];
        down.extend(&config.hidden);
        down.push(variant.encoder_outputs(config.latent));
        let mut up = vec![config.latent];
        up.extend(config.hidden.iter().rev());
        up.push(pixels);
        [down, up]
    }

    /// How many weights it will have, biases aside.
    pub(super) fn weights(config: &ModelConfig, variant: &dyn Variant, pixels: u32) -> u64 {
        let widths = Self::widths(config, variant, pixels);
        let products =
            widths.iter().flat_map(|widths| widths.windows(2)).map(|w| u64::from(w[0]) * u64::from(w[1]));
        products.fold(0, u64::saturating_add)
    }
}
