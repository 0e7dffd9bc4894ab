//! What a configuration means for images of one size: every layer with the shapes around it.

use super::ModelConfig;
use super::condition::Condition;
use super::layer::{LayerConfig, too_large};
use crate::graph::Shape;
use crate::reference::activation::Activation;
use crate::{Error, Result};

// 8 GiB of them: what 32-bit offsets reach with room to spare, and no device holds more in one buffer.
pub(super) const MOST_WEIGHTS: u64 = 1 << 31;

/// A layer between its input and its output.
pub(super) struct PlannedLayer {
    pub(super) config: LayerConfig,
    pub(super) input: Shape,
    pub(super) output: Shape,
}

/// The layers of a model for images of one size, from the image to the code and back.
pub(super) struct Blueprint {
    pub(super) encoder: Vec<PlannedLayer>,
    pub(super) decoder: Vec<PlannedLayer>,
    /// Numbers of the code.
    pub(super) latent: u32,
    /// The images that a class stands beside as channels.
    pub(super) channels_of: Option<Shape>,
}

impl Blueprint {
    /// With `told` numbers of a class beside image and code.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the layer that does not fit, or where code or image come out wrong.
    pub(super) fn new(config: &ModelConfig, outputs: u32, image: Shape, told: u32) -> Result<Self> {
        if image.columns().is_none_or(|columns| columns == 0) {
            return Err(Error::setting("images", "between 1 and 2^32 - 1 numbers each", image));
        }
        let layers = encoder_layers(config, outputs);
        let (given, channels_of) = match told {
            0 => (image, None),
            told => Condition::shapes(image, told, &layers),
        };
        let encoder = planned("encoder", &layers, given)?;
        let encoded = encoder.last().map_or(image, |layer| layer.output);
        let code = if config.latent > 0 { Shape::flat(config.latent) } else { encoded };
        if config.latent == 0 && outputs != 1 {
            let name = config.variant.name();
            let expected = format!(
                "at least 1 for {name}, whose encoder gives {outputs} numbers for each of the code's"
            );
            return Err(Error::setting("latent", expected, 0));
        }
        let given = match (told, code.columns()) {
            (1.., Some(columns)) => Shape::flat(columns.saturating_add(told)),
            _ => code,
        };
        let decoder = planned("decoder", &decoder_layers(config, image), given)?;
        let decoded = decoder.last().map_or(code, |layer| layer.output);
        if decoded.columns() != image.columns() {
            let last = decoder.last();
            let change = cropped(decoded, image).or_else(|| last.and_then(|last| mend(last, image)));
            let change = change.unwrap_or_else(|| added(decoded, image));
            let expected = format!("a last layer that gives images of {image} ({change})");
            return Err(Error::setting("decoder", expected, decoded));
        }
        // Counted when it was planned.
        Ok(Self { encoder, decoder, latent: code.columns().unwrap_or(u32::MAX), channels_of })
    }
}

// How the last layer would give images of this shape; None where it alone cannot.
fn mend(last: &PlannedLayer, image: Shape) -> Option<String> {
    let PlannedLayer { config, input, output } = last;
    if let LayerConfig::Dense { .. } = config {
        return Some(format!("`units = {}` in the layer {config}", image.columns()?));
    }
    let window = config.window()?;
    let mut changes = Vec::new();
    if output.channels != image.channels {
        changes.push(format!("`filters = {}`", image.channels));
    }
    if [output.height, output.width] != [image.height, image.width] {
        if !matches!(config, LayerConfig::ConvTranspose { .. }) {
            return None;
        }
        let fit = |axis: usize, small: u32, large: u32| {
            paddings(small, window.kernel[axis], window.stride[axis], large)
        };
        let [above, below] = fit(0, input.height, image.height)?;
        let [left, right] = fit(1, input.width, image.width)?;
        changes.push(format!("`padding = [{above}, {left}]`, `output_padding = [{below}, {right}]`"));
    }
    Some(format!("{} in the layer {config}", changes.join(", ")))
}

// The layer that cuts what is too much off; None where that alone makes no images of this shape.
fn cropped(decoded: Shape, image: Shape) -> Option<String> {
    let is_part = decoded.height >= image.height && decoded.width >= image.width;
    let layer = format!("{{ layer = \"crop-or-pad\", size = [{}, {}] }}", image.height, image.width);
    (is_part && decoded.channels == image.channels).then(|| format!("`{layer}` at the end"))
}

// A layer that makes images of this shape of another one, whatever it is.
fn added(decoded: Shape, image: Shape) -> String {
    let along = |small: u32, large: u32| match large.checked_div(small).unwrap_or(1) {
        // An even number of pixels is cut off.
        0 => {
            let kernel = 3 - (small - large) % 2;
            [kernel, 1, (small - large + kernel - 1) / 2]
        }
        stride => [large - (small - 1) * stride, stride, 0],
    };
    let [rows, columns] = [along(decoded.height, image.height), along(decoded.width, image.width)];
    let [kernel, stride, padding] = [0, 1, 2].map(|at| format!("[{}, {}]", rows[at], columns[at]));
    format!(
        "`{{ layer = \"conv-transpose\", filters = {}, kernel = {kernel}, stride = {stride}, padding = {padding} }}` \
         at the end",
        image.channels
    )
}

/// The padding and output padding with which a transposed convolution makes `large` pixels of `small` along an axis;
/// None where there are none.
pub(super) fn paddings(small: u32, kernel: u32, stride: u32, large: u32) -> Option<[u32; 2]> {
    let reach = small.checked_sub(1)?.checked_mul(stride)?.checked_add(kernel)?;
    let paddings = match large.checked_sub(reach) {
        Some(missing) => [0, missing],
        None => [(reach - large).div_ceil(2), (reach - large) % 2],
    };
    (paddings[1] < stride).then_some(paddings)
}

/// Refuses layers of more weights than any device holds.
///
/// # Errors
/// [`Error::Setting`] with the settings that mean the layers.
pub(super) fn check_weights<'a>(
    settings: &str,
    layers: impl IntoIterator<Item = &'a PlannedLayer>,
) -> Result<()> {
    let weights = layers.into_iter().filter_map(|layer| layer.config.weight(layer.input, layer.output));
    let count = |shape: Vec<usize>| shape.iter().fold(1_u64, |count, n| count.saturating_mul(*n as u64));
    let weights = weights.map(count).fold(0, u64::saturating_add);
    if weights <= MOST_WEIGHTS {
        return Ok(());
    }
    let expected = format!("layers of at most {MOST_WEIGHTS} weights together");
    Err(Error::setting(settings, expected, weights))
}

// The listed layers, or dense ones of the widths in `hidden`; then the code's own, unless the last gives the code.
fn encoder_layers(config: &ModelConfig, outputs: u32) -> Vec<LayerConfig> {
    let mut layers = match &config.encoder[..] {
        [] => config.hidden.iter().map(|units| LayerConfig::dense(*units, config.activation)).collect(),
        listed => with_activations(listed, config.activation, config.activation),
    };
    if config.latent > 0 {
        layers.push(LayerConfig::dense(config.latent.saturating_mul(outputs), config.code_activation));
    }
    layers
}

fn decoder_layers(config: &ModelConfig, image: Shape) -> Vec<LayerConfig> {
    if !config.decoder.is_empty() {
        return with_activations(&config.decoder, config.activation, config.output_activation);
    }
    let hidden = config.hidden.iter().rev();
    let mut layers: Vec<_> = hidden.map(|units| LayerConfig::dense(*units, config.activation)).collect();
    layers.push(LayerConfig::dense(image.columns().unwrap_or(u32::MAX), config.output_activation));
    layers
}

// The last is the last that computes: cutting borders off behind it leaves what it gives.
fn with_activations(layers: &[LayerConfig], inner: Activation, last: Activation) -> Vec<LayerConfig> {
    let last_at = layers.iter().rposition(LayerConfig::computes);
    let filled = layers.iter().cloned().enumerate();
    filled.map(|(at, layer)| layer.or_activation(if Some(at) == last_at { last } else { inner })).collect()
}

/// Each of `layers` with the shapes around it, the first on an input of the shape `input`.
pub(super) fn planned(name: &str, layers: &[LayerConfig], mut input: Shape) -> Result<Vec<PlannedLayer>> {
    let mut all = Vec::with_capacity(layers.len());
    for (number, config) in layers.iter().enumerate() {
        let output = config.output(input).map_err(|error| match error {
            Error::Setting { setting, expected, got } => {
                Error::Setting { setting: format!("{name}.{number} {setting}"), expected, got }
            }
            other => other,
        })?;
        if output.columns().is_none_or(|columns| columns == 0) {
            return Err(too_large(output));
        }
        all.push(PlannedLayer { config: config.clone(), input, output });
        input = output;
    }
    Ok(all)
}
