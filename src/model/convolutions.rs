//! The layers that `stack` means for images of one size: convolutions down to a few pixels a side, and back up.

use super::blueprint::paddings;
use super::{Extent, LayerConfig, ModelConfig, StackKind};
use crate::graph::{Padding, Shape};
use crate::{Error, Result};

// Height and width of the smallest image: one halving leaves a small feature map of it.
const SMALLEST: u32 = 8;
const KERNEL: u32 = 3;
const MOST_FILTERS: u32 = 256;

impl ModelConfig {
    /// This model for images of one size: its `stack` is replaced by the layers that it means for them, where `encoder`
    /// or `decoder` list none. Layers that are listed stay as they are, and so does a model without a stack.
    ///
    /// # Errors
    /// [`Error::Setting`] for images that are too small for convolutions.
    pub fn fitted_to(&self, image: Shape) -> Result<Self> {
        let mut fitted = self.clone();
        // With layers on both sides it is refused as a setting without effect.
        if self.stack.is_none() || !(self.encoder.is_empty() || self.decoder.is_empty()) {
            return Ok(fitted);
        }
        let levels = Levels::new(self.stack, image)?;
        if self.encoder.is_empty() {
            fitted.encoder = levels.encoder();
        }
        if self.decoder.is_empty() {
            fitted.decoder = levels.decoder(self);
        }
        fitted.stack = StackKind::None;
        Ok(fitted)
    }
}

/// The feature maps from the image down to the smallest.
struct Levels {
    kind: StackKind,
    shapes: Vec<Shape>,
}

impl Levels {
    fn new(kind: StackKind, image: Shape) -> Result<Self> {
        if image.height < SMALLEST || image.width < SMALLEST {
            let expected = format!(
                "height and width of at least {SMALLEST} for a stack of convolutions; presets of dense layers, such as \
                 mlp and vae, take any size"
            );
            return Err(Error::setting("images", expected, image));
        }
        let mut shapes = vec![image];
        let (mut at, mut filters) = (image, kind.filters());
        // A side that is short enough stays as it is while the other one is halved.
        while kind.smaller(at.height) < at.height || kind.smaller(at.width) < at.width {
            at = Shape::new(kind.smaller(at.height), kind.smaller(at.width), filters);
            shapes.push(at);
            filters = MOST_FILTERS.min(2 * filters);
        }
        Ok(Self { kind, shapes })
    }

    fn encoder(&self) -> Vec<LayerConfig> {
        let mut layers = Vec::new();
        for pair in self.shapes.windows(2) {
            let (filters, factor) = (pair[1].channels, factor(pair[0], pair[1]));
            let pooled = self.kind == StackKind::Pooled;
            layers.push(LayerConfig::Conv {
                filters,
                kernel: KERNEL.into(),
                stride: if pooled { Extent::default() } else { factor },
                padding: Padding::Same,
                activation: None,
            });
            if pooled {
                layers.push(LayerConfig::MaxPool { size: factor, stride: None });
            }
        }
        layers
    }

    fn decoder(&self, config: &ModelConfig) -> Vec<LayerConfig> {
        let mut layers = Vec::new();
        if let Some(Shape { height, width, channels }) = self.shapes.last().filter(|_| config.latent > 0) {
            layers.push(LayerConfig::dense(height * width * channels, config.activation));
            layers.push(LayerConfig::Reshape { shape: [*height, *width, *channels] });
        }
        layers.extend(self.shapes.windows(2).rev().map(|pair| enlarging(pair[1], pair[0])));
        layers
    }
}

impl StackKind {
    /// Channels of the first layer.
    const fn filters(self) -> u32 {
        if matches!(self, Self::Strided) { 32 } else { 16 }
    }

    /// A side in the next feature map: half of it, unless it is short enough.
    const fn smaller(self, side: u32) -> u32 {
        match self {
            Self::Pooled if side > 6 => side / 2,
            Self::Strided if side > 7 => side.div_ceil(2),
            _ => side,
        }
    }
}

// How many times smaller the one is, down and across: 1 or 2.
fn factor(large: Shape, small: Shape) -> Extent {
    let along = |large: u32, small: u32| if large == small { 1 } else { 2 };
    [along(large.height, small.height), along(large.width, small.width)].into()
}

// The transposed convolution from one feature map to the larger one before it.
fn enlarging(small: Shape, large: Shape) -> LayerConfig {
    let stride = factor(large, small);
    let [down, across] = stride.pair();
    // A kernel of 3 reaches every side that a factor of 1 or 2 leads to.
    let along = |small, large, stride| paddings(small, KERNEL, stride, large).unwrap_or_default();
    let [rows, columns] = [along(small.height, large.height, down), along(small.width, large.width, across)];
    let is_same = [large.height, large.width] == [small.height * down, small.width * across];
    let (padding, output_padding) = match [rows, columns] {
        _ if is_same => (Padding::Same, [0; 2]),
        [[0, 0], [0, 0]] => (Padding::Valid, [0; 2]),
        [[above, below], [left, right]] => (Padding::Explicit([above, left]), [below, right]),
    };
    LayerConfig::ConvTranspose {
        filters: large.channels,
        kernel: KERNEL.into(),
        stride,
        padding,
        output_padding: output_padding.into(),
        activation: None,
    }
}
