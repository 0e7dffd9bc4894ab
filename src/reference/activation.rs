//! Activations, their slopes and curvatures: the twin of `shaders/lib/activation.wgsl` and `shaders/activation.wgsl`.

use std::fmt;
use std::str::FromStr;

use crate::Error;

const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const LEAKY_SLOPE: f64 = 0.01;

/// An elementwise non-linearity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "train", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "snake_case"))]
pub enum Activation {
    /// `z`
    #[default]
    Identity,
    /// `max(z, 0)`
    Relu,
    /// `z` above zero, `0.01 z` below
    LeakyRelu,
    /// `z` above zero, `e^z - 1` below (Clevert et al. 2015, with alpha 1)
    Elu,
    /// The self-normalising ELU (Klambauer et al. 2017, equation 2)
    Selu,
    /// `1 / (1 + e^-z)`
    Sigmoid,
    /// The hyperbolic tangent
    Tanh,
    /// `log(1 + e^z)`
    Softplus,
    /// `z Φ(z)`, with the normal distribution function (Hendrycks and Gimpel 2016)
    Gelu,
    /// `z sigmoid(z)` (Elfwing et al. 2017), also called swish
    Silu,
}

impl Activation {
    /// Every activation, in the order of [`Activation::code`].
    pub const ALL: [Self; 10] = [
        Self::Identity,
        Self::Relu,
        Self::LeakyRelu,
        Self::Elu,
        Self::Selu,
        Self::Sigmoid,
        Self::Tanh,
        Self::Softplus,
        Self::Gelu,
        Self::Silu,
    ];

    /// The value of the shaders' `ACTIVATION` constant.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The name in options and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::LeakyRelu => "leaky_relu",
            Self::Elu => "elu",
            Self::Selu => "selu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Softplus => "softplus",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
        }
    }

    /// Whether the slope needs the input `z`. For the other activations the output is enough.
    pub const fn keeps_input(self) -> bool {
        matches!(self, Self::Gelu | Self::Silu)
    }

    /// `f(z)`
    pub fn value(self, z: f64) -> f64 {
        match self {
            // Unlike max, this leaves NaN as it is.
            Self::Relu if z < 0.0 => 0.0,
            Self::Identity | Self::Relu => z,
            Self::LeakyRelu | Self::Elu if z > 0.0 => z,
            Self::LeakyRelu => LEAKY_SLOPE * z,
            Self::Elu => z.exp_m1(),
            Self::Selu => SELU_SCALE * if z > 0.0 { z } else { SELU_ALPHA * z.exp_m1() },
            Self::Sigmoid => sigmoid(z),
            Self::Tanh => z.tanh(),
            Self::Softplus => softplus(z),
            Self::Gelu => z * normal_cdf(z),
            Self::Silu => z * sigmoid(z),
        }
    }

    /// `f'(z)`
    pub fn slope(self, z: f64) -> f64 {
        match self {
            Self::Identity => 1.0,
            Self::Relu | Self::LeakyRelu | Self::Elu if z > 0.0 => 1.0,
            Self::Relu => 0.0,
            Self::LeakyRelu => LEAKY_SLOPE,
            Self::Elu => z.exp(),
            Self::Selu => SELU_SCALE * if z > 0.0 { 1.0 } else { SELU_ALPHA * z.exp() },
            Self::Sigmoid => sigmoid(z) * sigmoid(-z),
            Self::Tanh => 1.0 - z.tanh().powi(2),
            Self::Softplus => sigmoid(z),
            Self::Gelu => normal_cdf(z) + z * normal_density(z),
            Self::Silu => sigmoid(z) * (1.0 + z * sigmoid(-z)),
        }
    }

    /// `f'(z)` from what the forward pass keeps: `z` where [`Activation::keeps_input`], else `f(z)`.
    pub fn slope_from_kept(self, kept: f64) -> f64 {
        match self {
            Self::Elu if kept <= 0.0 => kept + 1.0,
            Self::Selu if kept <= 0.0 => kept + SELU_SCALE * SELU_ALPHA,
            Self::Sigmoid => kept * (1.0 - kept),
            Self::Tanh => 1.0 - kept * kept,
            Self::Softplus => -(-kept).exp_m1(),
            Self::Identity | Self::Gelu | Self::Silu => self.slope(kept),
            // Above zero, where the slope is constant; the output has the sign of the input.
            Self::Relu | Self::LeakyRelu | Self::Elu | Self::Selu => self.slope(kept),
        }
    }

    /// Whether the second derivative is nonzero somewhere.
    pub const fn is_curved(self) -> bool {
        !matches!(self, Self::Identity | Self::Relu | Self::LeakyRelu)
    }

    /// `f''(z)` from what the forward pass keeps: `z` where [`Activation::keeps_input`], else `f(z)`.
    pub fn curvature_from_kept(self, kept: f64) -> f64 {
        match self {
            Self::Identity | Self::Relu | Self::LeakyRelu => 0.0,
            // Above zero the slope is constant, below it is its own derivative.
            Self::Elu | Self::Selu if kept > 0.0 => 0.0,
            Self::Elu | Self::Selu => self.slope_from_kept(kept),
            Self::Sigmoid => kept * (1.0 - kept) * (1.0 - 2.0 * kept),
            Self::Tanh => -2.0 * kept * (1.0 - kept * kept),
            // s (1 - s) of s = sigmoid(z) = 1 - e^-y.
            Self::Softplus => -(-kept).exp_m1() * (-kept).exp(),
            Self::Gelu => normal_density(kept) * (2.0 - kept * kept),
            Self::Silu => {
                let (s, t) = (sigmoid(kept), sigmoid(-kept));
                s * t * (2.0 + kept * (t - s))
            }
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Activation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|activation| activation.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|activation| activation.name()).collect();
            Error::setting("activation", format!("one of {}", names.join(", ")), text)
        })
    }
}

/// `1 / (1 + e^-z)`
pub fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// `log(1 + e^z)`
pub fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}
