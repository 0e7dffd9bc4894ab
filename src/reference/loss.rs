//! Negative log-likelihoods and their slopes: the twin of `shaders/loss.wgsl`.

use std::f64::consts::TAU;
use std::fmt;

use super::activation::{sigmoid, softplus};

/// The smallest learned log variance that counts, ln 1e-6: what is fitted exactly would drive it, and the loss with it, to
/// minus infinity. A floor as in Rybkin et al. 2021, whose is e^-12.
pub const LEAST_LOG_VARIANCE: f32 = -13.815_511;

// Which log variance counts. NaN stays NaN.
fn held(log_variance: f64) -> f64 {
    if is_below(log_variance) { LEAST_LOG_VARIANCE.into() } else { log_variance }
}

fn is_below(log_variance: f64) -> bool {
    log_variance < LEAST_LOG_VARIANCE.into()
}

/// How a prediction `y` explains an observed `x`, one pixel at a time.
///
/// The densities are in Murphy, *Probabilistic Machine Learning: An Introduction*, 2.4 and 2.6; as decoders
/// of an autoencoder they are in its 20.3, in Kingma and Welling 2013, appendix C, and, with a learned shared
/// variance, in Rybkin et al. 2021, section 3.1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `(y - x)^2`, not a likelihood but the classic reconstruction error
    SquaredError,
    /// A normal density around y: `(y - x)^2 / (2 s^2) + log s + log(2π)/2` nats
    Gaussian {
        /// s. Must be positive, with a square that is neither 0 nor infinite in 32 bits: else every value is infinite or
        /// NaN.
        deviation: f32,
    },
    /// The same density with `v = log s^2` one learned parameter, at least [`LEAST_LOG_VARIANCE`]:
    /// `(y - x)^2 e^-v / 2 + v/2 + log(2π)/2` nats
    GaussianLearned,
    /// Of logits y and x in `[0, 1]`: `softplus(y) - x y` nats
    Bernoulli,
    /// The Bernoulli likelihood made a density on `[0, 1]`: `log((e^y - 1) / y) - x y` nats (Loaiza-Ganem and Cunningham
    /// 2019, equations 4 and 5, in logits)
    ContinuousBernoulli,
}

impl Kind {
    /// The number of the case in the shader.
    pub const fn code(self) -> u32 {
        match self {
            Self::SquaredError => 0,
            Self::Gaussian { .. } | Self::GaussianLearned => 1,
            Self::Bernoulli => 2,
            Self::ContinuousBernoulli => 3,
        }
    }

    /// The name in options and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SquaredError => "squared_error",
            Self::Gaussian { .. } => "gaussian",
            Self::GaussianLearned => "gaussian_learned",
            Self::Bernoulli => "bernoulli",
            Self::ContinuousBernoulli => "continuous_bernoulli",
        }
    }

    /// Nats of one pixel. Only [`Kind::GaussianLearned`] looks at `log_variance`.
    pub fn value(self, y: f64, x: f64, log_variance: f64) -> f64 {
        let log_variance = held(log_variance);
        let squared = (y - x).powi(2);
        match self {
            Self::SquaredError => squared,
            Self::Gaussian { deviation } => {
                let s = f64::from(deviation);
                squared / (2.0 * s * s) + s.ln() + 0.5 * TAU.ln()
            }
            Self::GaussianLearned => {
                0.5 * squared * (-log_variance).exp() + 0.5 * log_variance + 0.5 * TAU.ln()
            }
            // softplus(y) = y + softplus(-y), which keeps what is left when y - x y cancels.
            Self::Bernoulli if y > 0.0 => (1.0 - x) * y + softplus(-y),
            Self::Bernoulli => softplus(y) - x * y,
            Self::ContinuousBernoulli => (y.max(0.0) - x * y) + continuous_excess(y),
        }
    }

    /// The derivative of [`Kind::value`] by `y`.
    pub fn slope(self, y: f64, x: f64, log_variance: f64) -> f64 {
        match self {
            Self::SquaredError => 2.0 * (y - x),
            Self::Gaussian { deviation } => (y - x) / f64::from(deviation).powi(2),
            Self::GaussianLearned => (y - x) * (-held(log_variance)).exp(),
            Self::Bernoulli => sigmoid(y) - x,
            Self::ContinuousBernoulli => continuous_mean(y) - x,
        }
    }

    /// The derivative of [`Kind::value`] by the log variance that counts.
    pub fn log_variance_slope(self, y: f64, x: f64, log_variance: f64) -> f64 {
        match self {
            Self::GaussianLearned => 0.5 - 0.5 * (y - x).powi(2) * (-held(log_variance)).exp(),
            _ => 0.0,
        }
    }

    /// What of an image's slopes together, `share`, a step follows: below the floor of `log_variance` only what raises it.
    pub fn followed(self, share: f64, log_variance: f64) -> f64 {
        if is_below(log_variance) { share.min(0.0) } else { share }
    }
}

// log((e^y - 1) / y) - max(y, 0) = log((1 - e^-|y|) / |y|)
fn continuous_excess(y: f64) -> f64 {
    let a = y.abs();
    if a == 0.0 { 0.0 } else { (-(-a).exp_m1() / a).ln() }
}

/// The mean of a continuous Bernoulli with logit y: `1 / (1 - e^-y) - 1 / y`, one half at zero (Loaiza-Ganem and
/// Cunningham 2019, equation 6, in logits).
pub fn continuous_mean(y: f64) -> f64 {
    if y.abs() < 1e-2 {
        return 0.5 + y / 12.0 - y.powi(3) / 720.0 + y.powi(5) / 30240.0;
    }
    -1.0 / (-y).exp_m1() - 1.0 / y
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
