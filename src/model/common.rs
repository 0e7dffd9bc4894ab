//! The settings of every model.

use serde::{Deserialize, Serialize};

use super::LayerConfig;
use super::kinds::{CorruptionKind, InitScheme, LikelihoodKind, ReductionKind};
use super::settings::{Setting, check_positive, check_widths};
use crate::kernels::corruption::{self, Corruption};
use crate::reference::activation::Activation;
use crate::{Error, Result};

/// The settings of every model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommonSettings {
    /// Widths of the encoder's dense layers, from the image inward; the decoder mirrors them. For stacks of
    /// other layers see `encoder` and `decoder`.
    pub hidden: Vec<u32>,
    /// Width of the code, which a dense layer behind the encoder's others gives. Zero where the encoder's last
    /// layer gives the code itself, in whatever shape.
    pub latent: u32,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Activation of the encoder's last layer.
    pub code_activation: Activation,
    /// Activation of the decoder's last layer. Bernoulli reads it as logits.
    pub output_activation: Activation,
    /// How reconstructions are judged.
    pub likelihood: LikelihoodKind,
    /// The fixed standard deviation of the Gaussian likelihood, in pixel values of [0, 1]; 0.1 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f32>,
    /// Whether the decoder's weights are the encoder's, transposed.
    pub tied: bool,
    /// Whether layers have biases.
    pub bias: bool,
    /// Whether the mean training image is subtracted first.
    pub center: bool,
    /// What is done to the images that the encoder sees in training, before any mean image is subtracted.
    /// Evaluations see them as they are.
    pub corruption: CorruptionKind,
    /// The standard deviation of the corruption's noise, in pixel values of [0, 1], or the probability that a
    /// pixel is lost; 0.2 where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corruption_amount: Option<f32>,
    /// Whether dropout multiplies what it keeps by `1 / (1 - corruption_amount)`; false where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corruption_rescale: Option<bool>,
    /// How weights start.
    pub init: InitScheme,
    /// What the optimizer sees of the reconstruction.
    pub reduction: ReductionKind,
    /// The encoder's layers before the code's own, in place of those that `hidden` means.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encoder: Vec<LayerConfig>,
    /// All of the decoder's layers, in place of those that `hidden` means.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decoder: Vec<LayerConfig>,
}

/// The settings of every model, as people read of them.
pub const COMMON: &[Setting] = &[
    Setting::new(
        "hidden",
        "WIDTHS",
        "Widths of the encoder's hidden layers, as 400,200; the decoder mirrors them (\"\" for none)",
    ),
    Setting::new("latent", "N", "Width of the code"),
    Setting::new(
        "activation",
        "F",
        "identity, relu, leaky_relu, elu, selu, sigmoid, tanh, softplus, gelu or silu",
    ),
    Setting::new("code_activation", "F", "Activation of the encoder's last layer"),
    Setting::new(
        "output_activation",
        "F",
        "Activation of the decoder's last layer (bernoulli: identity, it takes logits)",
    ),
    Setting::new(
        "likelihood",
        "KIND",
        "bernoulli, continuous-bernoulli, gaussian, gaussian-learned or squared-error",
    ),
    Setting::new(
        "deviation",
        "S",
        "Standard deviation of the gaussian likelihood, in pixel values of [0, 1]",
    )
    .when("likelihood", &["gaussian"]),
    Setting::new("tied", "BOOL", "Whether the decoder's weights are the encoder's, transposed"),
    Setting::new("bias", "BOOL", "Whether layers have biases"),
    Setting::new("center", "BOOL", "Whether the mean training image is subtracted first"),
    Setting::new(
        "corruption",
        "KIND",
        "Corruption of the encoder's images in training: none, gaussian (noise added), dropout or salt-and-pepper",
    ),
    Setting::new(
        "corruption_amount",
        "S",
        "Standard deviation of that noise in pixel values of [0, 1], or probability that a pixel is lost",
    )
    .when("corruption", &["gaussian", "dropout", "salt-and-pepper"]),
    Setting::new(
        "corruption_rescale",
        "BOOL",
        "Whether the corruption dropout multiplies what it keeps by 1 / (1 - amount)",
    )
    .when("corruption", &["dropout"]),
    Setting::new("init", "SCHEME", "First weights: glorot-uniform or he-uniform"),
    Setting::new(
        "reduction",
        "KIND",
        "Reconstruction loss that the optimizer sees: image (sum over pixels) or pixel (mean over pixels)",
    ),
    Setting::new("encoder", "", "The encoder's layers, in files"),
    Setting::new("decoder", "", "The decoder's layers, in files"),
];

impl Default for CommonSettings {
    fn default() -> Self {
        Self {
            hidden: Vec::new(),
            latent: 16,
            activation: Activation::Relu,
            code_activation: Activation::Identity,
            output_activation: Activation::Identity,
            likelihood: LikelihoodKind::default(),
            deviation: None,
            tied: false,
            bias: true,
            center: false,
            corruption: CorruptionKind::default(),
            corruption_amount: None,
            corruption_rescale: None,
            init: InitScheme::default(),
            reduction: ReductionKind::default(),
            encoder: Vec::new(),
            decoder: Vec::new(),
        }
    }
}

impl CommonSettings {
    /// The fixed standard deviation of the Gaussian likelihood.
    pub fn deviation(&self) -> f32 {
        self.deviation.unwrap_or(0.1)
    }

    /// The standard deviation of the corruption's noise, or the probability that a pixel is lost.
    pub fn corruption_amount(&self) -> f32 {
        self.corruption_amount.unwrap_or(0.2)
    }

    /// The corruption these settings mean.
    pub fn corruption(&self) -> Option<Corruption> {
        let amount = self.corruption_amount();
        match self.corruption {
            CorruptionKind::None => None,
            CorruptionKind::Gaussian => Some(Corruption::Gaussian { deviation: amount }),
            CorruptionKind::Dropout => Some(Corruption::Dropout {
                probability: amount,
                rescale: self.corruption_rescale.unwrap_or(false),
            }),
            CorruptionKind::SaltAndPepper => Some(Corruption::SaltAndPepper { probability: amount }),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.latent == 0 && self.encoder.is_empty() {
            return Err(Error::setting("latent", "at least 1 without layers in `encoder`", self.latent));
        }
        if !self.hidden.is_empty() && !self.encoder.is_empty() && !self.decoder.is_empty() {
            let expected = "none where `encoder` and `decoder` list the layers";
            return Err(Error::setting("hidden", expected, format!("{:?}", self.hidden)));
        }
        check_widths("hidden", &self.hidden)?;
        check_positive("deviation", self.deviation())?;
        if self.tied && !(self.encoder.is_empty() && self.decoder.is_empty()) {
            let expected =
                "false where `encoder` or `decoder` list layers: only those that `hidden` means can be tied";
            return Err(Error::setting("tied", expected, true));
        }
        self.corruption().map_or(Ok(()), corruption::check)?;
        self.check_logits()
    }

    /// The activation of the last layer that the encoder's layers and settings mean.
    pub fn last_code_activation(&self) -> (&'static str, Activation) {
        match self.encoder.last() {
            Some(last) if self.latent == 0 => {
                let last = last.clone().or_activation(self.activation);
                ("encoder", last.activation().unwrap_or_default())
            }
            _ => ("code_activation", self.code_activation),
        }
    }

    // Whether the decoder gives logits and the pixels lie where a likelihood of logits wants them.
    fn check_logits(&self) -> Result<()> {
        let likelihood = match self.likelihood {
            LikelihoodKind::Bernoulli => "bernoulli",
            LikelihoodKind::ContinuousBernoulli => "continuous-bernoulli",
            _ => return Ok(()),
        };
        if self.output_activation != Activation::Identity {
            let expected = format!("identity with the {likelihood} likelihood, which takes logits");
            return Err(Error::setting("output_activation", expected, self.output_activation));
        }
        if let Some(activation) = self.decoder.last().and_then(LayerConfig::activation)
            && activation != Activation::Identity
        {
            let expected =
                format!("identity in the last layer with the {likelihood} likelihood, which takes logits");
            return Err(Error::setting("decoder", expected, activation));
        }
        if self.center {
            let expected = format!("false with the {likelihood} likelihood, whose pixels lie in [0, 1]");
            return Err(Error::setting("center", expected, true));
        }
        Ok(())
    }
}
