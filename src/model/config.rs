//! What can be configured of a model, and what makes sense of it.

use serde::{Deserialize, Serialize};

use super::kinds::{
    ContractionKind, CorruptionKind, InitScheme, LikelihoodKind, ReductionKind, SparsityKind,
};
use super::{LayerConfig, variant};
use crate::kernels::corruption::{self, Corruption};
use crate::reference::activation::Activation;
use crate::{Error, Result};

/// A model, before it meets images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The kind of autoencoder, by name.
    pub variant: String,
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
    /// The fixed standard deviation of the Gaussian likelihood, in pixel values of [0, 1].
    pub deviation: f32,
    /// What the KL to the prior is multiplied by: nats summed over the code, averaged over the images of a batch.
    pub kl_weight: f32,
    /// How the squared norm of the encoder's Jacobian, which a contractive autoencoder penalizes, is found.
    pub contraction: ContractionKind,
    /// What that squared norm is multiplied by: the sum over all derivatives of the code by the pixels, averaged
    /// over the images of a batch.
    pub contraction_weight: f32,
    /// Whether the decoder's weights are the encoder's, transposed.
    pub tied: bool,
    /// Nats that each dimension of a Gaussian code may have for nothing, on average over a batch: what lies below is
    /// not trained away.
    pub free_bits: f32,
    /// What keeps the code of the sparse autoencoder sparse.
    pub sparsity: SparsityKind,
    /// What that is multiplied by: a sum over the units of the code, averaged over the images of a batch.
    pub sparsity_weight: f32,
    /// The mean activation that `kl` wants each unit to have.
    pub sparsity_target: f32,
    /// Whether layers have biases.
    pub bias: bool,
    /// Whether the mean training image is subtracted first.
    pub center: bool,
    /// What is done to the images that the encoder sees in training, before any mean image is subtracted.
    /// Evaluations see them as they are.
    pub corruption: CorruptionKind,
    /// The standard deviation of the corruption's noise, in pixel values of [0, 1], or the probability that a
    /// pixel is lost.
    pub corruption_amount: f32,
    /// Whether dropout multiplies what it keeps by `1 / (1 - corruption_amount)`.
    pub corruption_rescale: bool,
    /// How weights start.
    pub init: InitScheme,
    /// What the optimizer sees of the reconstruction.
    pub reduction: ReductionKind,
    /// The encoder's layers before the code's own, in place of those that `hidden` means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoder: Vec<LayerConfig>,
    /// All of the decoder's layers, in place of those that `hidden` means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decoder: Vec<LayerConfig>,
}

impl ModelConfig {
    /// The defaults that variants start from.
    pub fn new(variant: &str) -> Self {
        Self {
            variant: variant.to_owned(),
            hidden: Vec::new(),
            latent: 16,
            activation: Activation::Relu,
            code_activation: Activation::Identity,
            output_activation: Activation::Identity,
            likelihood: LikelihoodKind::default(),
            deviation: 0.1,
            kl_weight: 1.0,
            contraction: ContractionKind::default(),
            contraction_weight: 0.1,
            tied: false,
            free_bits: 0.0,
            sparsity: SparsityKind::default(),
            sparsity_weight: 1e-3,
            sparsity_target: 0.1,
            bias: true,
            center: false,
            corruption: CorruptionKind::default(),
            corruption_amount: 0.2,
            corruption_rescale: false,
            init: InitScheme::default(),
            reduction: ReductionKind::default(),
            encoder: Vec::new(),
            decoder: Vec::new(),
        }
    }

    /// The corruption these settings mean.
    pub const fn corruption(&self) -> Option<Corruption> {
        let amount = self.corruption_amount;
        match self.corruption {
            CorruptionKind::None => None,
            CorruptionKind::Gaussian => Some(Corruption::Gaussian { deviation: amount }),
            CorruptionKind::Dropout => {
                Some(Corruption::Dropout { probability: amount, rescale: self.corruption_rescale })
            }
            CorruptionKind::SaltAndPepper => Some(Corruption::SaltAndPepper { probability: amount }),
        }
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// [`Error::Setting`] naming the first that does not.
    pub fn check(&self) -> Result<()> {
        let known = variant(&self.variant)?;
        if self.latent == 0 && self.encoder.is_empty() {
            return Err(Error::setting("latent", "at least 1 without layers in `encoder`", self.latent));
        }
        if !self.hidden.is_empty() && !self.encoder.is_empty() && !self.decoder.is_empty() {
            let expected = "none where `encoder` and `decoder` list the layers";
            return Err(Error::setting("hidden", expected, format!("{:?}", self.hidden)));
        }
        if self.hidden.contains(&0) {
            return Err(Error::setting("hidden", "layers of at least 1 unit", format!("{:?}", self.hidden)));
        }
        if !(self.deviation.is_finite() && self.deviation > 0.0) {
            return Err(Error::setting("deviation", "a positive number", self.deviation));
        }
        let weights = [self.kl_weight, self.free_bits, self.sparsity_weight, self.contraction_weight];
        let names = ["kl_weight", "free_bits", "sparsity_weight", "contraction_weight"];
        for (name, weight) in names.into_iter().zip(weights) {
            if !(weight.is_finite() && weight >= 0.0) {
                return Err(Error::setting(name, "a number that is not negative", weight));
            }
        }
        if self.tied && known.has_prior() {
            let expected =
                "false for a Gaussian code, whose encoder gives twice as much as its decoder takes";
            return Err(Error::setting("tied", expected, true));
        }
        if self.tied && !(self.encoder.is_empty() && self.decoder.is_empty()) {
            let expected =
                "false where `encoder` or `decoder` list layers: only those that `hidden` means can be tied";
            return Err(Error::setting("tied", expected, true));
        }
        self.check_sparsity()?;
        if let Some(corruption) = self.corruption() {
            corruption::check(corruption)?;
        }
        if known.name() == "denoising" && self.corruption == CorruptionKind::None {
            let expected = "gaussian, dropout or salt-and-pepper for a denoising autoencoder";
            return Err(Error::setting("corruption", expected, "none"));
        }
        self.check_logits()?;
        if self.free_bits > 0.0 && !known.has_prior() {
            let expected = format!("0 for {}, whose code has no KL to a prior", known.name());
            return Err(Error::setting("free_bits", expected, self.free_bits));
        }
        if known.has_prior() && self.code_activation != Activation::Identity {
            let expected = "identity for a Gaussian code, whose mu and logvar may be any number";
            return Err(Error::setting("code_activation", expected, self.code_activation));
        }
        if known.name() == "linear" {
            let activations = [self.code_activation, self.output_activation];
            let layers = [&self.encoder, &self.decoder].iter().any(|layers| !layers.is_empty());
            if layers || !self.hidden.is_empty() || activations != [Activation::Identity; 2] {
                let [code, output] = activations;
                let got = format!("hidden {:?}, code {code}, output {output}", self.hidden);
                return Err(Error::setting("linear", "no hidden layer and no activation", got));
            }
        }
        Ok(())
    }

    fn check_sparsity(&self) -> Result<()> {
        if !(self.sparsity_target > 0.0 && self.sparsity_target < 1.0) {
            return Err(Error::setting("sparsity_target", "above 0 and below 1", self.sparsity_target));
        }
        let kind = match self.sparsity {
            SparsityKind::None => return Ok(()),
            SparsityKind::L1 => "l1",
            SparsityKind::Kl => "kl",
        };
        if self.variant != "sparse" {
            let expected = format!("none for {}; the variant sparse has it", self.variant);
            return Err(Error::setting("sparsity", expected, kind));
        }
        let expected = "sigmoid with the sparsity kl, which is of logistic units";
        let (setting, units) = match self.encoder.last() {
            Some(last) if self.latent == 0 => {
                ("encoder", last.clone().or_activation(self.activation).activation().unwrap_or_default())
            }
            _ => ("code_activation", self.code_activation),
        };
        if self.sparsity == SparsityKind::Kl && units != Activation::Sigmoid {
            return Err(Error::setting(setting, expected, units));
        }
        Ok(())
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
