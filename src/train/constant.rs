//! The loss of a model that gives every image the same answer: what a trained one must beat to have learned anything.

use super::Transform;
use super::transform::for_each_scaled;
use crate::data::Dataset;
use crate::model::{LikelihoodKind, ModelConfig};
use crate::reference::loss::{Kind, LEAST_LOG_VARIANCE, continuous_mean};

// Beyond these logits a probability is 0 or 1 in f32.
const LARGEST_LOGIT: f64 = 16.0;

/// The best constant answer to the training part, one number for each pixel, in the model's units.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstantModel {
    kind: Kind,
    // Of each pixel: what the decoder would give.
    outputs: Vec<f32>,
    // Of all pixels together.
    log_variance: f32,
}

impl ConstantModel {
    /// Of a model that is trained on `train`: the mean image and, where the variance is learned, that around it.
    pub(super) fn fit(config: &ModelConfig, train: &Dataset, transform: &Transform) -> Self {
        let kind = kind_of(config);
        let (mut sums, count) = (vec![[0.0_f64; 2]; train.pixels()], train.len().max(1) as f64);
        for_each_scaled(train, &transform.scaling, |row| {
            for ([sum, squares], x) in sums.iter_mut().zip(row) {
                let x = f64::from(*x);
                (*sum, *squares) = (*sum + x, *squares + x * x);
            }
        });
        let means: Vec<f64> = sums.iter().map(|[sum, _]| sum / count).collect();
        let variances = sums.iter().zip(&means).map(|([_, squares], mean)| squares / count - mean * mean);
        let variance = variances.sum::<f64>() / means.len().max(1) as f64;
        let output = |mean: &f64| match kind {
            Kind::Bernoulli => (mean / (1.0 - mean)).ln().clamp(-LARGEST_LOGIT, LARGEST_LOGIT),
            Kind::ContinuousBernoulli => logit_of(*mean),
            _ => *mean,
        };
        let outputs = means.iter().map(|mean| output(mean) as f32).collect();
        // Its likelihood holds it above the floor.
        Self { kind, outputs, log_variance: variance.max(1e-12).ln() as f32 }
    }

    /// The logarithm of the variance of all pixels around it.
    pub const fn log_variance(&self) -> f32 {
        self.log_variance
    }

    /// Whether a variance is learned, and that of the training part is not above its floor: the rows are all alike.
    pub fn is_at_floor(&self) -> bool {
        self.kind == Kind::GaussianLearned && self.log_variance <= LEAST_LOG_VARIANCE
    }

    /// The numbers that files keep: what the decoder would give, and the log variance.
    pub(super) fn numbers(&self) -> Vec<f32> {
        self.outputs.iter().chain([&self.log_variance]).copied().collect()
    }

    /// Of such numbers; None of none.
    pub(super) fn of_numbers(config: &ModelConfig, mut numbers: Vec<f32>) -> Option<Self> {
        let log_variance = numbers.pop()?;
        Some(Self { kind: kind_of(config), outputs: numbers, log_variance })
    }

    /// Its reconstruction loss of the images of `data`: per image, summed over pixels, as that of the model.
    pub fn loss(&self, data: &Dataset, transform: &Transform) -> f64 {
        let mut sum = 0.0;
        for_each_scaled(data, &transform.scaling, |row| {
            let each = self.outputs.iter().zip(row);
            sum += each
                .map(|(y, x)| self.kind.value(f64::from(*y), f64::from(*x), f64::from(self.log_variance)))
                .sum::<f64>();
        });
        sum / data.len().max(1) as f64
    }
}

fn kind_of(config: &ModelConfig) -> Kind {
    match config.likelihood {
        LikelihoodKind::Bernoulli => Kind::Bernoulli,
        LikelihoodKind::ContinuousBernoulli => Kind::ContinuousBernoulli,
        LikelihoodKind::Gaussian => Kind::Gaussian { deviation: config.deviation() },
        LikelihoodKind::GaussianLearned => Kind::GaussianLearned,
        LikelihoodKind::SquaredError => Kind::SquaredError,
    }
}

// The logit of a continuous Bernoulli with this mean, by bisection: the mean grows with it.
fn logit_of(mean: f64) -> f64 {
    let (mut low, mut high) = (-1.0 / mean.max(1e-6), 1.0 / (1.0 - mean).max(1e-6));
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if continuous_mean(middle) < mean { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_constant_answer_is_better() -> crate::Result<()> {
        let numbers: Vec<f32> = (0..60).map(|at| (at * 37 % 23) as f32 / 23.0).collect();
        let data = Dataset::new("x", [1, 3, 1], numbers, None)?;
        let mut config = crate::train::Config::preset("vae")?.model;
        for likelihood in [
            LikelihoodKind::Bernoulli,
            LikelihoodKind::ContinuousBernoulli,
            LikelihoodKind::Gaussian,
            LikelihoodKind::GaussianLearned,
            LikelihoodKind::SquaredError,
        ] {
            config.likelihood = likelihood;
            let transform = Transform::default();
            let best = ConstantModel::fit(&config, &data, &transform);
            let loss = best.loss(&data, &transform);
            for step in [-0.01, 0.01] {
                for pixel in 0..3 {
                    let mut other = best.clone();
                    other.outputs[pixel] += step;
                    assert!(other.loss(&data, &transform) > loss, "{likelihood:?} {pixel} {step}");
                }
                let mut other = best.clone();
                other.log_variance += step;
                assert!(other.loss(&data, &transform) >= loss, "{likelihood:?} {step}");
            }
        }
        Ok(())
    }

    #[test]
    fn only_rows_that_are_all_alike_leave_a_learned_variance_at_its_floor() -> crate::Result<()> {
        let mut config = crate::train::Config::preset("vae")?.model;
        let alike = |config: &ModelConfig, numbers: Vec<f32>| {
            let data = Dataset::new("x", [1, 3, 1], numbers, None)?;
            Ok::<_, crate::Error>(ConstantModel::fit(config, &data, &Transform::default()).is_at_floor())
        };
        let other = [vec![0.3; 59], vec![0.4]].concat();
        assert!(!alike(&config, vec![0.3; 60])?);
        config.likelihood = LikelihoodKind::GaussianLearned;
        assert!(alike(&config, vec![0.3; 60])? && !alike(&config, other)?);
        Ok(())
    }
}
