//! A mixture of Gaussians in the plane. Its score is known in closed form at every noise level.

/// A Gaussian in the plane with its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Component {
    /// Its share of the points.
    pub weight: f64,
    /// Its mean.
    pub mean: [f64; 2],
    /// Its covariance, symmetric and positive.
    pub covariance: [[f64; 2]; 2],
}

/// Weighted Gaussians in the plane.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianMixture {
    /// The Gaussians. Their weights add up to 1.
    pub components: Vec<Component>,
}

impl GaussianMixture {
    /// The mixture of the data set `mixture`: three Gaussians well inside the unit square, none of them round.
    pub fn three() -> Self {
        let component =
            |weight, mean, [a, b, c]: [f64; 3]| Component { weight, mean, covariance: [[a, b], [b, c]] };
        Self {
            components: vec![
                component(0.40, [0.32, 0.34], [0.0064, 0.0030, 0.0036]),
                component(0.35, [0.70, 0.40], [0.0025, -0.0015, 0.0064]),
                component(0.25, [0.46, 0.72], [0.0081, 0.0, 0.0016]),
            ],
        }
    }

    /// A point made from a uniform number and two standard normals, and the number of its component.
    pub(super) fn draw(&self, which: f64, noise: [f64; 2]) -> ([f64; 2], u8) {
        let mut left = which;
        let last = self.components.len().saturating_sub(1);
        let number = self.components.iter().position(|component| {
            left -= component.weight;
            left < 0.0
        });
        let number = number.unwrap_or(last);
        let Component { mean, covariance: [[a, b], [_, c]], .. } = self.components[number];
        // Cholesky: the covariance is L L^T.
        let l11 = libm::sqrt(a);
        let l21 = b / l11;
        let l22 = libm::sqrt(c - l21 * l21);
        let point = [mean[0] + l11 * noise[0], mean[1] + l21 * noise[0] + l22 * noise[1]];
        (point, number as u8)
    }

    /// The density at `point` of the mixture convolved with `N(0, deviation^2 I)`.
    pub fn density(&self, point: [f64; 2], deviation: f64) -> f64 {
        self.components.iter().map(|component| component.smoothed(point, deviation).0).sum()
    }

    /// The score `grad log p` at `point` of the mixture convolved with `N(0, deviation^2 I)`: each component's
    /// `-(covariance + deviation^2 I)^-1 (point - mean)`, weighted by its probability at the point.
    pub fn score(&self, point: [f64; 2], deviation: f64) -> [f64; 2] {
        let each = self.components.iter().map(|component| component.smoothed(point, deviation));
        let (density, slope) = each.fold((0.0, [0.0; 2]), |(density, slope), (p, [x, y])| {
            (density + p, [slope[0] + p * x, slope[1] + p * y])
        });
        slope.map(|s| s / density.max(f64::MIN_POSITIVE))
    }
}

impl Component {
    // Its share of the convolved density at `point`, and its own score there.
    fn smoothed(&self, point: [f64; 2], deviation: f64) -> (f64, [f64; 2]) {
        let [[a, b], [_, c]] = self.covariance;
        let (a, c) = (a + deviation * deviation, c + deviation * deviation);
        let determinant = a * c - b * b;
        let [x, y] = [point[0] - self.mean[0], point[1] - self.mean[1]];
        let slope = [-(c * x - b * y) / determinant, -(a * y - b * x) / determinant];
        let distance = -(x * slope[0] + y * slope[1]);
        let density = (-0.5 * distance).exp() / (std::f64::consts::TAU * determinant.sqrt());
        (self.weight * density, slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: [[f64; 2]; 4] = [[0.3, 0.3], [0.5, 0.5], [0.9, 0.1], [0.46, 0.72]];

    #[test]
    fn the_score_is_the_central_difference_of_the_log_density() {
        let mixture = GaussianMixture::three();
        let h = 1e-5;
        for point in POINTS {
            for deviation in [0.0, 0.05, 0.3] {
                let score = mixture.score(point, deviation);
                for axis in [0, 1] {
                    let log_density = |by: f64| {
                        let mut moved = point;
                        moved[axis] += by;
                        mixture.density(moved, deviation).ln()
                    };
                    let numeric = (log_density(h) - log_density(-h)) / (2.0 * h);
                    let error = (numeric - score[axis]).abs() / (1.0 + score[axis].abs());
                    assert!(error < 1e-6, "{point:?}, {deviation}: {score:?}, numerically {numeric}");
                }
            }
        }
    }

    // By a sum over a fine grid, which for functions this smooth is exact.
    #[test]
    fn the_smoothed_density_is_the_densitys_mean_under_the_noise() {
        let mixture = GaussianMixture::three();
        let (deviation, step) = (0.05_f64, 0.005);
        for point in POINTS {
            let mut sum = 0.0;
            for i in -80..=80 {
                for j in -80..=80 {
                    let [x, y] = [f64::from(i) * step, f64::from(j) * step];
                    let weight = (-0.5 * (x * x + y * y) / deviation.powi(2)).exp()
                        / (std::f64::consts::TAU * deviation.powi(2));
                    sum += weight * mixture.density([point[0] + x, point[1] + y], 0.0) * step * step;
                }
            }
            let density = mixture.density(point, deviation);
            assert!((sum - density).abs() < 1e-6 * (1.0 + density), "{point:?}: {density}, by a sum {sum}");
        }
    }

    #[test]
    fn weights_add_up_to_one_and_the_score_far_away_is_finite() {
        let mixture = GaussianMixture::three();
        let total: f64 = mixture.components.iter().map(|component| component.weight).sum();
        assert!((total - 1.0).abs() < 1e-12);
        assert!(mixture.score([90.0, -90.0], 0.0).iter().all(|s| s.is_finite()));
    }
}
