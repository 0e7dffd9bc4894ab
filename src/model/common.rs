//! The settings of every model.

use super::LayerConfig;
use super::kinds::{CorruptionKind, InitScheme, LikelihoodKind, ReductionKind, StackKind};
use super::settings::{Described, Setting, check_widths};
use crate::kernels::corruption::{self, Corruption};
use crate::reference::activation::Activation;
use crate::reference::loss::LEAST_LOG_VARIANCE;
use crate::{Error, Result};

/// The most layers that a list may have. Each is several dispatches of a step, on top of one another.
const MOST_LAYERS: usize = 1_000;

crate::settings! {
    /// The settings of every model.
    pub struct CommonSettings {
        /// Widths of the encoder's hidden layers, as 400,200, at most 1000; the decoder mirrors them ("" for none)
        hidden: Vec<u32> = Vec::new(), "WIDTHS";
        /// Width of the code
        latent: u32 = 16, "N";
        /// identity, relu, leaky_relu, elu, selu, sigmoid, tanh, softplus, gelu or silu
        activation: Activation = Activation::Relu, "F";
        /// Activation of the encoder's last layer
        code_activation: Activation = Activation::Identity, "F";
        /// Activation of the decoder's last layer (bernoulli: identity, it takes logits)
        output_activation: Activation = Activation::Identity, "F";
        /// bernoulli, continuous-bernoulli, gaussian, gaussian-learned (one variance, at least 1e-6) or squared-error
        likelihood: LikelihoodKind = LikelihoodKind::default(), "KIND";
        /// Standard deviation of the gaussian likelihood, in pixel values of [0, 1]: between 1e-6 and 1e6
        #[serde(skip_serializing_if = "Option::is_none")]
        deviation: Option<f32> = None, "S", with likelihood = "gaussian";
        /// Logarithm of the gaussian-learned likelihood's first variance: -2 where it is not given
        #[serde(skip_serializing_if = "Option::is_none")]
        first_log_variance: Option<f32> = None, "V", with likelihood = "gaussian-learned";
        /// Whether the decoder's weights are the encoder's, transposed
        tied: bool = false, "BOOL";
        /// Whether layers have biases
        bias: bool = true, "BOOL";
        /// Whether the mean training image is subtracted first
        center: bool = false, "BOOL";
        /// Corruption of the encoder's images in training: none, gaussian (noise added), dropout or salt-and-pepper
        corruption: CorruptionKind = CorruptionKind::default(), "KIND";
        /// Standard deviation of that noise in pixel values of [0, 1], or probability, below 1, that a pixel is lost
        #[serde(skip_serializing_if = "Option::is_none")]
        corruption_amount: Option<f32> = None, "S", with corruption = "gaussian" | "dropout" | "salt-and-pepper";
        /// Whether the corruption dropout multiplies what it keeps by 1 / (1 - amount)
        #[serde(skip_serializing_if = "Option::is_none")]
        corruption_rescale: Option<bool> = None, "BOOL", with corruption = "dropout";
        /// First weights: glorot-uniform or he-uniform; or of a new run, the parameters of another run, of a checkpoint file, or
        /// of a state dict of PyTorch in a safetensors file, where names and shapes agree
        init: InitScheme = InitScheme::default(), "SCHEME|RUN|FILE";
        /// Reconstruction loss that the optimizer sees: image (sum over pixels) or pixel (mean over pixels)
        reduction: ReductionKind = ReductionKind::default(), "KIND";
        /// Convolutions that fit images of any size from 8 x 8 up, in place of `hidden`: none, pooled or strided
        stack: StackKind = StackKind::default(), "KIND";
        /// The encoder's layers before the code's own, in files, in place of those that `hidden` means; with a `latent`
        /// of 0 the last of them gives the code itself
        #[serde(skip_serializing_if = "Vec::is_empty")]
        encoder: Vec<LayerConfig> = Vec::new(), "";
        /// All of the decoder's layers, in files, in place of those that `hidden` means
        #[serde(skip_serializing_if = "Vec::is_empty")]
        decoder: Vec<LayerConfig> = Vec::new(), "";
    }
}

/// The settings of every model, as people read about them.
pub const COMMON: &[Setting] = CommonSettings::DESCRIBED;

impl CommonSettings {
    /// The fixed standard deviation of the Gaussian likelihood: 0.1 where it is not given.
    pub fn deviation(&self) -> f32 {
        self.deviation.unwrap_or(0.1)
    }

    /// Where the logarithm of the learned variance starts: at -2 where it is not given, 1/e² of the pixels' full range
    /// squared, which is between those that an untrained and a trained decoder leave.
    pub fn first_log_variance(&self) -> f32 {
        self.first_log_variance.unwrap_or(-2.0)
    }

    /// The standard deviation of the corruption's noise, or the probability that a pixel is lost: 0.2 where it is not
    /// given.
    pub fn corruption_amount(&self) -> f32 {
        self.corruption_amount.unwrap_or(0.2)
    }

    /// The corruption that these settings describe.
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
        let layers =
            [("hidden", self.hidden.len()), ("encoder", self.encoder.len()), ("decoder", self.decoder.len())];
        if let Some((setting, count)) = layers.into_iter().find(|(_, count)| *count > MOST_LAYERS) {
            return Err(Error::setting(setting, format!("at most {MOST_LAYERS} layers"), count));
        }
        let stack = !self.stack.is_none();
        let listed = !self.encoder.is_empty() && !self.decoder.is_empty();
        if self.latent == 0 && self.encoder.is_empty() && !stack {
            let expected =
                "at least 1; 0 leaves the code to the last layer of a --stack, or of `encoder` in a file";
            return Err(Error::setting("latent", expected, self.latent));
        }
        if stack && listed {
            let expected = "none where `encoder` and `decoder` list the layers";
            return Err(Error::setting("stack", expected, self.stack));
        }
        if !self.hidden.is_empty() && (stack || listed) {
            let others = if stack { "`stack` means" } else { "`encoder` and `decoder` list" };
            let expected = format!("none where {others} the layers");
            return Err(Error::setting("hidden", expected, format!("{:?}", self.hidden)));
        }
        check_widths("hidden", &self.hidden)?;
        check_deviation(self.deviation())?;
        let first = self.first_log_variance();
        if !(LEAST_LOG_VARIANCE..=-LEAST_LOG_VARIANCE).contains(&first) {
            return Err(Error::setting("first_log_variance", "a number between -13.8 and 13.8", first));
        }
        if self.tied && (stack || !(self.encoder.is_empty() && self.decoder.is_empty())) {
            let listed = if stack { "`stack` means" } else { "`encoder` or `decoder` list" };
            let expected = format!("false where {listed} layers: only those that `hidden` means can be tied");
            return Err(Error::setting("tied", expected, true));
        }
        self.corruption().map_or(Ok(()), corruption::check)?;
        self.check_logits()
    }

    /// The activation of the last layer that the encoder's layers and settings mean.
    pub fn last_code_activation(&self) -> (&'static str, Activation) {
        match self.encoder.iter().rfind(|layer| layer.computes()) {
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
        let last = self.decoder.iter().rfind(|layer| layer.computes());
        if let Some(activation) = last.and_then(LayerConfig::activation)
            && activation != Activation::Identity
        {
            let expected =
                format!("identity in the last layer with the {likelihood} likelihood, which takes logits");
            return Err(Error::setting("decoder", expected, activation));
        }
        if self.center {
            let expected = format!(
                "false with the {likelihood} likelihood, whose pixels lie in [0, 1]; --likelihood gaussian takes it"
            );
            return Err(Error::setting("center", expected, true));
        }
        Ok(())
    }
}

// Beyond these bounds the square, its inverse, or a sum of such losses over an image leaves the numbers of 32 bits.
fn check_deviation(deviation: f32) -> Result<()> {
    if (1e-6..=1e6).contains(&deviation) {
        return Ok(());
    }
    Err(Error::setting("deviation", "a number between 1e-6 and 1e6", format!("{deviation:e}")))
}
