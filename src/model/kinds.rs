//! The choices of a model's settings.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How reconstructions are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LikelihoodKind {
    /// Independent Bernoulli pixels (binary cross-entropy on logits).
    #[default]
    Bernoulli,
    /// Independent continuous Bernoulli pixels, a density on [0, 1] (on logits).
    ContinuousBernoulli,
    /// Independent Gaussian pixels with a fixed standard deviation.
    Gaussian,
    /// Independent Gaussian pixels that share one learned variance.
    GaussianLearned,
    /// The squared error.
    SquaredError,
}

impl LikelihoodKind {
    /// Whether it is a distribution over [0, 1].
    pub const fn needs_unit(self) -> bool {
        matches!(self, Self::Bernoulli | Self::ContinuousBernoulli)
    }
}

/// How weights start. Biases start at zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitScheme {
    /// Uniform in ±sqrt(6 / (fan_in + fan_out)).
    #[default]
    GlorotUniform,
    /// Uniform in ±sqrt(6 / fan_in).
    HeUniform,
}

/// What the optimizer sees of the reconstruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReductionKind {
    /// Sum over pixels, mean over images: the ELBO's scale.
    #[default]
    Image,
    /// Mean over pixels and images.
    Pixel,
}

/// How the encoder's images are corrupted in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CorruptionKind {
    /// Nothing.
    #[default]
    None,
    /// Gaussian noise is added, and not clipped.
    Gaussian,
    /// Pixels are 0.
    Dropout,
    /// Pixels are 0 or 1, with equal probability.
    SaltAndPepper,
}

/// Convolutions for images of any size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StackKind {
    /// None: layers are listed, or dense.
    #[default]
    None,
    /// Convolutions with a pooling behind each.
    Pooled,
    /// Convolutions with a stride of 2.
    Strided,
}

impl StackKind {
    /// Whether there are none.
    pub const fn is_none(self) -> bool {
        matches!(self, Self::None)
    }
}

impl fmt::Display for StackKind {
    /// As in files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Pooled => "pooled",
            Self::Strided => "strided",
        })
    }
}

/// How the squared Frobenius norm of the encoder's Jacobian is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContractionKind {
    /// From the Jacobian itself: dense layers only.
    #[default]
    Exact,
    /// From its product with one random direction per image and step, at the cost of about one more pass through the
    /// encoder: without bias (Hutchinson 1990).
    Estimate,
}

/// How encoder and decoder are told the class of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionKind {
    /// They are not.
    #[default]
    None,
    /// By a number for each class: 1 for the image's own, 0 for the others.
    OneHot,
    /// By numbers that are learned for each class.
    Embedded,
}

/// The penalty on the code of the sparse autoencoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SparsityKind {
    /// Nothing.
    #[default]
    None,
    /// The sum of the absolute values of its units.
    L1,
    /// The KL between the target and each unit's mean activation over the batch: of sigmoid units.
    Kl,
}

/// How the weight of a term grows to its full value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WarmupKind {
    /// It has it from the start.
    #[default]
    None,
    /// It rises from zero in a straight line (Bowman et al. 2016, section 3.1).
    Linear,
    /// It rises from zero in the first half of each cycle, and stays in the second (Fu et al. 2019, section 4).
    Cyclical,
}
