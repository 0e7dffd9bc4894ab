//! The divergence of a Gaussian code from its prior.

use super::{Objective, Term};
use crate::Result;
use crate::graph::{GaussianCode, Graph, Slice};
use crate::kernels::latent;

#[derive(Debug)]
struct GaussianKl {
    code: GaussianCode,
}

/// `KL(q(z|x) || N(0, 1)) = -1/2 sum(1 + logvar - mu² - exp(logvar))`, nats per image
/// (Kingma and Welling 2013, appendix B).
pub fn gaussian_kl(code: GaussianCode) -> Objective {
    Objective::of(GaussianKl { code })
}

impl Term for GaussianKl {
    fn name(&self) -> &'static str {
        "kl"
    }

    fn record(&self, graph: &mut Graph, scale: f32, values: Slice) -> Result<()> {
        let stats = self.code.stats;
        graph.know_batch(self.name(), stats)?;
        let value = graph.value(stats);
        let (gradient, accumulate) = graph.gradient_target(stats);
        let kernel = latent::GaussianKl { rows: stats.rows, latent: self.code.latent(), scale, accumulate };
        graph.record("kl, value and gradient", kernel, &[value, values, gradient])
    }
}
