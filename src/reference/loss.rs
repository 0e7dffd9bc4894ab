//! Negative log-likelihoods and their slopes: the twin of `shaders/loss.wgsl`.

use std::f64::consts::TAU;
use std::fmt;

use super::activation::{sigmoid, softplus};

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
        /// s. Must be positive: zero and below make every value infinite or NaN.
        deviation: f32,
    },
    /// The same with `v = log s^2` one learned parameter: `(y - x)^2 e^-v / 2 + v/2 + log(2π)/2` nats
    GaussianLearned,
    /// Of logits y and x in `[0, 1]`: `softplus(y) - x y` nats
    Bernoulli,
    /// The same made a density on `[0, 1]`: `log((e^y - 1) / y) - x y` nats (Loaiza-Ganem and Cunningham 2019,
    /// equations 4 and 5, in logits)
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
            Self::GaussianLearned => (y - x) * (-log_variance).exp(),
            Self::Bernoulli => sigmoid(y) - x,
            Self::ContinuousBernoulli => continuous_mean(y) - x,
        }
    }

    /// The derivative of [`Kind::value`] by `log_variance`.
    pub fn log_variance_slope(self, y: f64, x: f64, log_variance: f64) -> f64 {
        match self {
            Self::GaussianLearned => 0.5 - 0.5 * (y - x).powi(2) * (-log_variance).exp(),
            _ => 0.0,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 5] = [
        Kind::SquaredError,
        Kind::Gaussian { deviation: 0.3 },
        Kind::GaussianLearned,
        Kind::Bernoulli,
        Kind::ContinuousBernoulli,
    ];

    const POINTS: [(f64, f64, f64); 6] = [
        (0.0, 0.0, 0.0),
        (0.7, 0.2, -1.5),
        (-3.0, 1.0, 0.4),
        (4.5, 0.0, 2.0),
        (-0.01, 0.5, -3.0),
        (20.0, 1.0, 0.1),
    ];

    #[test]
    fn slopes_are_the_central_differences_of_the_values() {
        let h = 1e-5;
        for kind in KINDS {
            for (y, x, v) in POINTS {
                let close = |what: &str, slope: f64, up: f64, down: f64| {
                    let numeric = (up - down) / (2.0 * h);
                    let error = (numeric - slope).abs() / (1.0 + slope.abs());
                    assert!(
                        error < 1e-8,
                        "{kind} by {what} at {y}, {x}, {v}: {slope}, numerically {numeric}"
                    );
                };
                close("y", kind.slope(y, x, v), kind.value(y + h, x, v), kind.value(y - h, x, v));
                let by_v = kind.log_variance_slope(y, x, v);
                close("log variance", by_v, kind.value(y, x, v + h), kind.value(y, x, v - h));
            }
        }
    }

    #[test]
    fn gaussian_densities_integrate_to_one() {
        let deviation = 0.3;
        let v = 2.0 * f64::from(deviation).ln();
        for kind in [Kind::Gaussian { deviation }, Kind::GaussianLearned] {
            let density = |i: i32| (-kind.value(0.2, f64::from(i) * 1e-3, v)).exp();
            let mass = (-5000..5000).map(density).sum::<f64>() * 1e-3;
            assert!((mass - 1.0).abs() < 1e-9, "{kind}: {mass}");
        }
    }

    #[test]
    fn continuous_bernoulli_densities_integrate_to_one_around_their_mean() {
        for y in [-200.0, -7.0, -1.0, -1e-3, 0.0, 1e-9, 0.02, 0.5, 3.0, 40.0] {
            // Simpson's rule.
            let n = 20_000;
            let integral = |f: &dyn Fn(f64) -> f64| {
                let weight = |i: i32| if i == 0 || i == n { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
                let term = |i: i32| {
                    let x = f64::from(i) / f64::from(n);
                    weight(i) * f(x) * (-Kind::ContinuousBernoulli.value(y, x, 0.0)).exp()
                };
                (0..=n).map(term).sum::<f64>() / f64::from(3 * n)
            };
            let (mass, mean) = (integral(&|_| 1.0), integral(&|x| x));
            assert!((mass - 1.0).abs() < 1e-9, "logit {y}: {mass}");
            assert!(
                (mean - continuous_mean(y)).abs() < 1e-9,
                "logit {y}: {mean}, not {}",
                continuous_mean(y)
            );
        }
    }

    #[test]
    fn bernoulli_probabilities_of_zero_and_one_add_up_to_one() {
        for logit in [-30.0, -2.0, 0.0, 0.5, 30.0] {
            let probability = |x: f64| (-Kind::Bernoulli.value(logit, x, 0.0)).exp();
            let sum = probability(0.0) + probability(1.0);
            assert!((sum - 1.0).abs() < 1e-12, "logit {logit}: {sum}");
        }
    }
}
