//! One layer as it is configured: the shapes that it maps, and the weights that it needs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::extent::Extent;
use super::settings::{check_fraction, check_positive};
use crate::graph::{Padding, Shape, Window};
use crate::reference::activation::Activation;
use crate::{Error, Result};

/// A layer of an encoder or decoder: `{ layer = "conv", filters = 16, kernel = 3 }` in TOML.
///
/// An `activation` left out is the model's, or, in the decoder's last layer, its output activation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerConfig {
    /// A dense layer over all of the image's numbers: `[columns]` to `[units]`.
    Dense {
        /// Outputs.
        units: u32,
        /// Its activation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activation: Option<Activation>,
    },
    /// A convolution: `[height, width, channels]` to `[.., .., filters]`.
    Conv {
        /// Output channels.
        filters: u32,
        /// Rows and columns of the kernel: one number for both, or two.
        kernel: Extent,
        /// Step between windows.
        #[serde(default)]
        stride: Extent,
        /// `"same"`, `"valid"`, or how many zeros on each side.
        #[serde(default)]
        padding: Padding,
        /// Its activation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activation: Option<Activation>,
    },
    /// A transposed convolution, which with a stride enlarges: the gradient of a convolution.
    ConvTranspose {
        /// Output channels.
        filters: u32,
        /// Rows and columns of the kernel.
        kernel: Extent,
        /// How many times larger the output is, borders aside.
        #[serde(default)]
        stride: Extent,
        /// `"same"` (stride times the input), `"valid"`, or how much is cut off on each side.
        #[serde(default)]
        padding: Padding,
        /// Rows and columns added at the far side, below the stride.
        #[serde(default = "Extent::zero")]
        output_padding: Extent,
        /// Its activation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        activation: Option<Activation>,
    },
    /// The largest number of each window; what no window covers at the far side is dropped.
    MaxPool {
        /// Rows and columns of the window.
        size: Extent,
        /// Step between windows: the size where it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<Extent>,
    },
    /// Every pixel repeated.
    Upsample {
        /// How many times, down and across.
        factor: Extent,
    },
    /// Another height and width about the middle: what is too much is cut off, what is missing is zeros, alike on both
    /// sides and an odd pixel at the far one.
    CropOrPad {
        /// Height and width of the output.
        size: Extent,
    },
    /// Batch normalisation over batch, height and width, and an activation behind it.
    BatchNorm {
        /// The share of each batch in the running statistics.
        #[serde(default = "batch_norm_momentum")]
        momentum: f32,
        /// Added to the variance.
        #[serde(default = "batch_norm_epsilon")]
        epsilon: f32,
        /// What follows it: nothing where it is left out.
        #[serde(default)]
        activation: Activation,
    },
    /// An activation on its own, as behind a pooling.
    Activation {
        /// Which.
        activation: Activation,
    },
    /// Zeroes each number with probability `rate` while training, and scales the rest by 1 / (1 - rate).
    Dropout {
        /// The probability.
        rate: f32,
    },
    /// Drops height and width, not the numbers; free.
    Flatten,
    /// Changes the shape, not the numbers; free.
    Reshape {
        /// Height, width and channels.
        shape: [u32; 3],
    },
}

const fn batch_norm_momentum() -> f32 {
    0.1
}

const fn batch_norm_epsilon() -> f32 {
    1e-5
}

impl LayerConfig {
    /// A dense layer.
    pub const fn dense(units: u32, activation: Activation) -> Self {
        Self::Dense { units, activation: Some(activation) }
    }

    /// Whether it is a dense layer.
    pub const fn is_dense(&self) -> bool {
        matches!(self, Self::Dense { .. })
    }

    /// Whether it computes anything of the numbers that it keeps.
    pub(super) const fn computes(&self) -> bool {
        !matches!(self, Self::CropOrPad { .. })
    }

    /// The window of a convolution; None for other layers.
    pub fn window(&self) -> Option<Window> {
        let (kernel, stride, padding, output_padding) = match self {
            Self::Conv { kernel, stride, padding, .. } => (kernel, stride, padding, Extent::zero()),
            Self::ConvTranspose { kernel, stride, padding, output_padding, .. } => {
                (kernel, stride, padding, *output_padding)
            }
            _ => return None,
        };
        Some(Window {
            kernel: kernel.pair(),
            stride: stride.pair(),
            padding: *padding,
            output_padding: output_padding.pair(),
        })
    }

    /// Its own activation, where it has one.
    pub const fn activation(&self) -> Option<Activation> {
        match self {
            Self::Dense { activation, .. }
            | Self::Conv { activation, .. }
            | Self::ConvTranspose { activation, .. } => *activation,
            Self::Activation { activation } | Self::BatchNorm { activation, .. } => Some(*activation),
            _ => None,
        }
    }

    // The activation of a layer with weights, which may be left out.
    fn optional_activation(&mut self) -> Option<&mut Option<Activation>> {
        match self {
            Self::Dense { activation, .. }
            | Self::Conv { activation, .. }
            | Self::ConvTranspose { activation, .. } => Some(activation),
            _ => None,
        }
    }

    /// This layer with `default` where it leaves out its activation.
    pub fn or_activation(mut self, default: Activation) -> Self {
        if let Some(activation) = self.optional_activation() {
            activation.get_or_insert(default);
        }
        self
    }

    /// This layer without its activation.
    pub(super) fn linear(mut self) -> Self {
        if let Some(activation) = self.optional_activation() {
            *activation = Some(Activation::Identity);
        }
        self
    }

    /// The shape of what it gives for an input of the shape `input`.
    ///
    /// # Errors
    /// [`Error::Setting`] where it does not fit, or makes no sense on its own.
    pub fn output(&self, input: Shape) -> Result<Shape> {
        self.check()?;
        match self {
            Self::Dense { units, .. } => Ok(Shape::flat(*units)),
            Self::Conv { filters, .. } | Self::ConvTranspose { filters, .. } => match self.window() {
                Some(window) if matches!(self, Self::Conv { .. }) => window.output(input, *filters),
                Some(window) => window.transposed_output(input, *filters),
                None => Ok(input),
            },
            Self::MaxPool { size, stride } => {
                let ([down, across], [stride_y, stride_x]) = (size.pair(), stride.unwrap_or(*size).pair());
                if down > input.height || across > input.width {
                    let expected = format!("a window that fits into {input}");
                    return Err(Error::setting("size", expected, format!("{down} x {across}")));
                }
                let height = (input.height - down) / stride_y + 1;
                Ok(Shape { height, width: (input.width - across) / stride_x + 1, ..input })
            }
            Self::Upsample { factor } => {
                let [down, across] = factor.pair();
                let enlarged = input.height.checked_mul(down).zip(input.width.checked_mul(across));
                let enlarged = enlarged.map(|(height, width)| Shape { height, width, ..input });
                enlarged.ok_or_else(|| {
                    Error::setting("factor", "fewer than 2^32 pixels", format!("{down} x {across}"))
                })
            }
            Self::CropOrPad { size } => {
                let [height, width] = size.pair();
                Ok(Shape { height, width, ..input })
            }
            Self::BatchNorm { .. } | Self::Dropout { .. } | Self::Activation { .. } => Ok(input),
            Self::Flatten => input.columns().map(Shape::flat).ok_or_else(|| too_large(input)),
            Self::Reshape { shape: [height, width, channels] } => {
                let output = Shape::new(*height, *width, *channels);
                if output.columns().is_some() && output.columns() == input.columns() {
                    return Ok(output);
                }
                Err(Error::setting("shape", format!("as many numbers as in {input}"), output))
            }
        }
    }

    // Refuses what makes no sense with any input.
    fn check(&self) -> Result<()> {
        let positive = |what: &str, extents: &[u32]| match extents.contains(&0) {
            true => Err(Error::setting(what, "at least 1", 0)),
            false => Ok(()),
        };
        match self {
            Self::Dense { units, .. } => positive("units", &[*units]),
            Self::Conv { filters, .. } | Self::ConvTranspose { filters, .. } => {
                positive("filters", &[*filters])
            }
            Self::MaxPool { size, stride } => {
                positive("size", &size.pair())?;
                positive("stride", &stride.unwrap_or(*size).pair())
            }
            Self::Upsample { factor } => positive("factor", &factor.pair()),
            Self::CropOrPad { size } => positive("size", &size.pair()),
            Self::BatchNorm { momentum, .. } if !(*momentum > 0.0 && *momentum <= 1.0) => {
                Err(Error::setting("momentum", "above 0, at most 1", momentum))
            }
            Self::BatchNorm { epsilon, .. } => check_positive("epsilon", *epsilon),
            Self::Dropout { rate } => check_fraction("rate", *rate),
            Self::Activation { .. } | Self::Flatten | Self::Reshape { .. } => Ok(()),
        }
    }

    /// The shape of its weight between `input` and `output`, if it has one: `[out, in]` of a dense layer,
    /// `[out, height, width, in]` of a convolution, `[in, height, width, out]` of a transposed one.
    pub fn weight(&self, input: Shape, output: Shape) -> Option<Vec<usize>> {
        let extents = match self {
            Self::Dense { units, .. } => vec![*units, input.columns()?],
            Self::Conv { filters, kernel, .. } => {
                let [height, width] = kernel.pair();
                vec![*filters, height, width, input.channels]
            }
            Self::ConvTranspose { kernel, .. } => {
                let [height, width] = kernel.pair();
                vec![input.channels, height, width, output.channels]
            }
            _ => return None,
        };
        Some(extents.into_iter().map(|extent| extent as usize).collect())
    }
}

impl fmt::Display for LayerConfig {
    /// The kind, and how large it is: `conv-16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dense { units, .. } => write!(f, "dense-{units}"),
            Self::Conv { filters, .. } => write!(f, "conv-{filters}"),
            Self::ConvTranspose { filters, .. } => write!(f, "conv-transpose-{filters}"),
            Self::MaxPool { .. } => f.write_str("max-pool"),
            Self::Upsample { .. } => f.write_str("upsample"),
            Self::CropOrPad { size } => write!(f, "crop-or-pad-{size}"),
            Self::BatchNorm { .. } => f.write_str("batch-norm"),
            Self::Activation { activation } => write!(f, "{activation}"),
            Self::Dropout { rate } => write!(f, "dropout-{rate}"),
            Self::Flatten => f.write_str("flatten"),
            Self::Reshape { shape: [height, width, channels] } => {
                write!(f, "reshape-{height}x{width}x{channels}")
            }
        }
    }
}

/// The error for a feature map beyond what the shaders count.
pub(super) fn too_large(shape: Shape) -> Error {
    Error::setting("layer", "fewer than 2^32 numbers per image", shape)
}
